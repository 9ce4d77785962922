import pandas as pd

from neurobar.report.markup import LATEX, latex, markdown

TABLE = pd.DataFrame({"a_b": ["x & y", "p|q"], "c": ["100 %", "−1"], "d": ["± 3", "< 0.001"]})


def test_markdown_keeps_its_columns_whatever_is_in_a_cell():
    lines = markdown(TABLE, "A caption.").splitlines()
    assert lines[0] == "| a_b | c | d |"
    assert lines[3] == "| p\\|q | −1 | < 0.001 |"
    assert lines[-1] == "A caption."


def test_no_letter_of_latex_is_left_bare():
    assert r"50 % of {a}_b ^ ~ \ # $ & ±".translate(LATEX) == (
        r"50 \% of \{a\}\_b \textasciicircum{} \textasciitilde{} \textbackslash{} \# \$ \& $\pm$"
    )


def test_latex_escapes_cells_columns_and_caption_alike():
    text = latex(TABLE, "Half, 50 % & more", "table_1")
    assert r"a\_b & c & d \\" in text
    assert r"x \& y & 100 \% & $\pm$ 3 \\" in text
    assert r"p$|$q & $-$1 & $<$ 0.001 \\" in text
    assert r"\caption{Half, 50 \% \& more}" in text
    assert r"\label{tab:table_1}" in text
    assert r"\begin{tabular}{llr}" in text
