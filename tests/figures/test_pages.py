import base64

import pandas as pd

from neurobar.figures.pages import paragraph, picture, table_of, write_page

STRANGE = '<script>alert("x")</script> & more'


def test_nothing_from_outside_becomes_markup(tmp_path):
    table = pd.DataFrame({STRANGE: [STRANGE]})
    write_page(tmp_path / "page.html", STRANGE, paragraph(STRANGE) + table_of(table))
    text = (tmp_path / "page.html").read_text()
    assert "alert(" in text
    assert "<script>alert" not in text
    assert text.count("<script>") == 1  # our own, which sorts tables


def test_a_page_fetches_nothing(tmp_path):
    write_page(tmp_path / "page.html", "A page", table_of(pd.DataFrame({"a": [1]}), sortable=True))
    text = (tmp_path / "page.html").read_text()
    assert not any(word in text for word in ("http:", "https:", "src=", "href="))
    assert '<table class="dataframe sortable">' in text


def test_a_picture_is_held_by_the_page_itself(tmp_path):
    (tmp_path / "check.png").write_bytes(b"some bytes")
    shown = picture(tmp_path / "check.png", 'brain of "A"')
    assert base64.b64encode(b"some bytes").decode() in shown
    assert 'alt="brain of &quot;A&quot;"' in shown
