import json


def test_probability_and_threshold_are_written_with_as_many_decimals(predict, changed_model, capsys):
    folder = predict("mary", model=changed_model(threshold=0.45678))
    said = f"{json.loads((folder / 'mary' / 'prediction.json').read_text())['probability']:.3f}"
    page, overview = ((folder / name).read_text() for name in ("mary/index.html", "index.html"))
    assert f"<strong>{said}: mean of 4 models" in page
    assert "threshold of 0.457 this counts as" in page
    assert f">{said}</td>" in overview
    assert "threshold of 0.457." in overview
    assert f"mary: probability of A&D {said}, " in capsys.readouterr().out


def test_a_page_warns_first_and_escapes_what_comes_from_outside(predict):
    folder = predict("mary", "odd<script>")
    page, overview = ((folder / name).read_text() for name in ("mary/index.html", "index.html"))
    for text in (page, overview):
        assert text.index("NOT FOR CLINICAL USE") < text.index("<h2>")
        assert text.index("simulated subjects, who do not exist") < text.index("<h2>")
        assert "few &lt;i&gt;people&lt;/i&gt;" in text
        assert "A&amp;D" in text
        assert [raw for raw in ("<i>people", "<b>Two", "A&D", "odd<script>") if raw in text] == []
    assert "&lt;b&gt;Two&lt;/b&gt;" in page
    assert page.count('src="data:image/png;base64,') == 4
    assert '<a href="odd_script_/index.html">odd_script_</a>' in overview


def test_a_model_of_people_does_not_warn_of_simulated_ones(predict, changed_model):
    page = (predict("mary", model=changed_model(simulated=False)) / "mary" / "index.html").read_text()
    assert "who do not exist" not in page
    assert "(not simulated)" in page


def test_code_that_differs_from_that_of_the_study_is_told(predict, changed_model):
    said = "The code that prepared this scan is not that which prepared the scans of the study"
    assert said not in (predict("mary") / "mary" / "index.html").read_text()
    folder = predict("mary", model=changed_model(code="another"))
    assert said in (folder / "mary" / "index.html").read_text()


def test_words_of_a_model_and_of_a_scan_are_words_on_every_page(predict, changed_model, read_page, hostile):
    classes = {"label": hostile, "negative": f"no {hostile}", "positive": hostile}
    model = changed_model(study=hostile, method=hostile, classes=classes, neurobar=hostile)
    folder = predict("mary", "odd<script>alert(1)<", model=model)
    pages = sorted(folder.rglob("index.html"))
    assert len(pages) == 3
    for path in pages:
        page = read_page(path)
        assert page.text.count(hostile.split("\n")[0]) >= 3, path
