import pytest


@pytest.fixture(scope="session")
def settings():
    """Settings of sixty subjects, of whom some have two sessions."""
    return {
        "seed": 7,
        "subjects": 60,
        "ad_share": 0.5,
        "two_session_share": 0.25,
        "ad_age_mean_years": 75,
        "cn_age_mean_years": 73,
        "age_sd_years": 7,
        "ad_severity_mean": 0.55,
        "sites": 3,
        "rotation_sd_degrees": 8,
        "shift_sd_mm": 6,
        "bias_share": 0.15,
        "noise_share": 0.03,
    }
