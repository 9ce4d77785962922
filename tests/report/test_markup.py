import re

import pandas as pd
from markdown import Markdown

from neurobar.report.markup import LATEX, latex, markdown, plain_latex, plain_markdown

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


def test_a_reader_of_markdown_sees_words_as_they_are(hostile, read_markup):
    for start in ("", "# ", "> ", "- ", "1. ", "2) ", "+ ", "[x]: "):
        said = f"{start}{hostile}"
        table = pd.DataFrame({said: [said, "b"], "m": [said, "[1.0, 2.0]"]})
        page = read_markup(Markdown(extensions=["tables"]).convert(markdown(table, said)))
        assert page.harms == []
        assert {tag for tag, _ in page.tags} == {"table", "thead", "tbody", "tr", "th", "td", "p"}
        assert [tag for tag, _ in page.tags].count("td") == 4
        assert page.text.count(" ".join(said.split())) == 4


def test_marks_of_markdown_are_escaped_and_figures_stay_readable():
    assert plain_markdown("~~a~~ *b* _c_ d_e [f](g) [h][i] `j` <k> &amp; \\") == (
        r"\~\~a\~\~ \*b\* \_c\_ d_e [f]\(g) [h]\[i] \`j\` &lt;k> &amp;amp; " + "\\\\"
    )
    assert plain_markdown("60.0 ± 14.1 [50.0, 70.0] < 0.001 & B") == "60.0 ± 14.1 [50.0, 70.0] < 0.001 & B"


def test_a_row_of_latex_is_one_line_and_does_not_start_with_an_option(hostile):
    table = pd.DataFrame({"a": ["[x]\n\ny", "*", hostile], "b": ["1", "2", hostile]})
    text = latex(table, hostile, "t")
    lines = text.splitlines()
    assert "{[}x]  y & 1 \\\\" in lines
    assert "{*} & 2 \\\\" in lines
    assert sum(line.endswith("\\\\") for line in lines) == 4
    # Of what a reader of LaTeX acts upon, all but our own commands is escaped.
    body = re.sub(r"\\textbackslash\{\}|\\text[a-z]+\{\}|\$(?:[<>|−-]|\\pm)\$|\\[&%$#_{}]", "", plain_latex(hostile))
    assert not set(body) & set("\\$%&#_{}~^<>|")
