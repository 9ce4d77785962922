"""Every output of the package is written under a temporary name and moved into place: the syntax trees say so."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "neurobar"
#: Calls that write to a file, by their last name.
WRITERS = {"to_csv", "write_text", "write_bytes", "save", "savez", "savefig", "save_file", "open_memmap", "dump"}
WRITERS |= {"copyfile", "copy", "copy2", "copytree", "move", "touch", "savetxt", "tofile", "to_filename", "image_write"}
WRITERS |= {"to_json", "to_html", "to_parquet", "imsave", "symlink_to", "rename", "replace", "create_dataset"}
#: What has the name of a writer and writes no file: methods of text, tables, arrays and dataclasses.
READS = {"replace", "copy", "rename"}
#: A call outside of `written_whole`, as file and function, and why it may stand there.
ALLOWED = {
    "data/files.py written_whole": "it is the move into place",
    "commands/locks.py check_writable": "tries whether a folder takes a file, and removes it",
    "commands/prediction_page.py embed": "into a temporary folder, for a page that is written whole",
    "preprocess/masks.py run_hd_bet": "into a temporary folder, for another program to read",
    "preprocess/pack_volumes.py pack": "is given the temporary name by its only caller",
    "draw/check_page.py scale_picture": "into memory",
    "training/loop.py train": "it is `Progress.save`, which writes whole",
    # The folder itself is a temporary name: `main` of this module moves it into place.
    "export/export_model.py copy_classifiers": "into the folder that is moved",
    "export/export_model.py write_folds": "into the folder that is moved",
    "export/export_model.py write_scores": "into the folder that is moved",
    "export/export_model.py write_checksums": "into the folder that is moved",
    "export/export_model.py export": "into the folder that is moved",
}


def last_name(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def is_of_module(call, modules):
    return isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") in modules


def opens_to_write(call):
    modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    modes += call.args[:1] if isinstance(call.func, ast.Attribute) else []
    return last_name(call) == "open" and any(
        isinstance(mode, ast.Constant) and set(str(mode.value)) & set("wax+") and len(str(mode.value)) <= 3
        for mode in modes
    )


def writes(call):
    name = last_name(call)
    if name in READS:
        return is_of_module(call, {"os", "shutil"})
    # Without a place to write to, a table becomes text.
    has_place = bool(call.args) or any(word.arg in ("path", "path_or_buf", "fname") for word in call.keywords)
    return opens_to_write(call) or (name in WRITERS and (has_place or name == "touch"))


def enters_written_whole(node):
    return isinstance(node, ast.With) and any(
        isinstance(item.context_expr, ast.Call) and last_name(item.context_expr) == "written_whole"
        for item in node.items
    )


def unprotected(node, function="", *, inside=False):
    """List function and call of each writer that no `written_whole` is around."""
    if isinstance(node, ast.FunctionDef):
        function, inside = node.name, False
    inside = inside or enters_written_whole(node)
    found = [(function, last_name(node))] if isinstance(node, ast.Call) and writes(node) and not inside else []
    for child in ast.iter_child_nodes(node):
        found += unprotected(child, function, inside=inside)
    return found


def test_every_output_is_written_whole():
    places = set()
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        places |= {f"{name} {function}" for function, _ in unprotected(ast.parse(path.read_text()))}
    assert places == set(ALLOWED)


def test_a_writer_outside_is_found():
    outside = "def f(table, p):\n    table.to_csv(p)\n    with open(p, 'w') as s:\n        pass\n    p.open('a')\n"
    assert [call for _, call in unprotected(ast.parse(outside))] == ["to_csv", "open", "open"]
    within = (
        "def f(table, p):\n    with written_whole(p) as q:\n        table.to_csv(q)\n    table.to_csv(index=False)\n"
    )
    assert unprotected(ast.parse(within)) == []
