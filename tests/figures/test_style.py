import pandas as pd

from neurobar.figures.style import COLOURS, new_figure, save_figures


def drawn(folder, captions, pages=None):
    figure = new_figure(height_mm=40)
    figure.subplots().plot([0, 1], [0, 2])
    save_figures({"losses": (figure, 'a "quoted"\tsentence\nof two lines.')}, folder, captions, pages)


def test_equal_figures_give_equal_bytes_on_screen_and_in_print(tmp_path):
    for name in "ab":
        drawn(tmp_path / name, tmp_path / f"{name}.tsv")
    for file in ("losses.png", "losses.pdf"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_captions_of_figures_and_pages_lie_in_one_table(tmp_path):
    drawn(tmp_path / "figures", tmp_path / "captions.tsv", {"checks": "All scans."})
    captions = pd.read_csv(tmp_path / "captions.tsv", sep="\t", index_col="figure", quoting=3)["caption"]
    assert captions.to_dict() == {"losses": 'A "quoted" sentence of two lines.', "checks": "All scans."}


def test_no_two_colours_of_the_palette_are_alike():
    assert len({*COLOURS}) == len(COLOURS) == 8


def test_a_dollar_in_a_name_is_a_dollar(tmp_path):
    figure = new_figure(height_mm=40)
    figure.subplots().set_title(r"from $\frac{$ to 2")
    save_figures({"price": (figure, "A price.")}, tmp_path / "figures", tmp_path / "captions.tsv")
    assert (tmp_path / "figures" / "price.png").stat().st_size > 1000
