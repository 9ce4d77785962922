import pytest

from neurobar.data.tables import read_table, shorten


def write(folder, text, name="table.tsv"):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def test_rows_have_the_numbers_of_a_spreadsheet(tmp_path):
    table = read_table(write(tmp_path, '\ufeffa\tb\r\n\r\n1\tn/a\r\n"x\ny"\t3\r\n'))
    assert table.index.tolist() == [3, 4]
    assert table["a"].tolist() == ["1", "x\ny"]
    assert table["b"].isna().tolist() == [True, False]


def test_cells_without_a_column_or_a_value_change_nothing(tmp_path):
    table = read_table(write(tmp_path, ",a,b,\n0,1,2,,\n1,3\n", "table.csv"))
    assert table.columns.tolist() == ["a", "b"]
    assert table["a"].tolist() == ["1", "3"]
    assert table["b"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("\n\t\t\n", "it is empty"),
        ("a\tb\ta\n1\t2\t3\n", "the column 'a' stands twice"),
        ("a\tb\n1\t2\t3\n4\t5\t6\n", "row 2 has 3 cells, the header has 2"),
        ('a\tb\n"1\t2\n', "unexpected end of data"),
        (b"a\tb\n\xff\t2\n", "codec can't decode"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_table(write(tmp_path, text))


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(ValueError, match="it cannot be read, Is a directory"):
        read_table(tmp_path)


def test_a_long_cell_is_cut():
    assert shorten("a\nb") == "'a\\nb'"
    assert len(shorten("x" * 1000)) == 204
