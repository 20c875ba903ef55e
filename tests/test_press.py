"""The press: what stays of a notebook that was executed."""

import base64
import io

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from helpers import notebooks, panel, press
from helpers.errors import Refused


def picture(side=64):
    packed = io.BytesIO()
    Image.effect_noise((side, side), 60).save(packed, "PNG")
    return base64.b64encode(packed.getvalue()).decode()


def executed(*outputs, source="1"):
    cell = new_code_cell(source, execution_count=1, outputs=list(outputs))
    cell.metadata = {"execution": {"iopub.status.busy": "2026-01-01"}, "tags": ["x"]}
    return new_notebook(cells=[cell], metadata={"widgets": {}, "vscode": 1})


def test_progress_and_widgets_and_timings_go():
    bar, said = (new_output("stream", name=n, text=n) for n in ("stderr", "stdout"))
    widget = new_output("display_data", data={press.WIDGET: {}, "text/plain": "HBox()"})
    clean = press.clean(executed(bar, widget, said))
    assert [o.text for o in clean.cells[0].outputs] == ["stdout"]
    assert clean.metadata == press.KEPT and clean.cells[0].metadata == {}
    nbformat.validate(clean)


def test_pictures_become_small_jpegs():
    data = {"image/png": picture(1024), "text/plain": "<PIL>"}
    shown = new_output("display_data", data=data, metadata={"a": 1})
    (output,) = press.clean(executed(shown)).cells[0].outputs
    assert set(output.data) == {"image/jpeg", "text/plain"} and not output.metadata
    assert max(Image.open(io.BytesIO(base64.b64decode(output.data["image/jpeg"]))).size) == 512


def test_many_pictures_become_smaller_ones():
    outputs = [new_output("display_data", data={"image/png": picture(512)}) for _ in range(4)]
    heavy = executed(*outputs)
    assert len(press.fitted(heavy)) <= press.HEAVIEST < len(nbformat.writes(press.clean(heavy)))


def test_the_panel_is_announced():
    box = new_output("display_data", data={press.WIDGET: {}, "text/plain": repr(panel.Panel().box)})
    (output,) = press.clean(executed(box)).cells[0].outputs
    assert output.data == {"text/plain": press.PANEL}


def test_of_a_drawing_board_the_drawing_stays():
    page = {"text/html": "<canvas></canvas><script>1</script>", "text/plain": "A board."}
    drawn, blank = (new_output("display_data", data=page | more) for more in ({"image/png": picture()}, {}))
    heard = new_output("display_data", data={press.WIDGET: {}, "text/plain": "Textarea(value='')"})
    first, last = press.clean(executed(drawn, heard, blank)).cells[0].outputs
    assert set(first.data) == {"image/jpeg", "text/plain"} and last.data == {"text/plain": "A board."}


def test_films_are_left_to_be_run():
    video = new_output("execute_result", data={"text/html": "<video src='data:video/mp4;base64,AA'>"})
    (output,) = press.clean(executed(video)).cells[0].outputs
    assert output.data == {"text/plain": press.FILM}


def test_forms_stay_folded():
    assert press.clean(executed(source="#@title Choose")).cells[0].metadata == {"cellView": "form"}


def test_heavy_notebooks_are_refused_and_the_old_one_stays(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text("old")
    with pytest.raises(Refused) as refused:
        press.save("x" * 300_001, path)
    assert str(refused.value) == (
        "a.ipynb has 300001 bytes; a notebook may have 300000: show fewer pictures in it")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_failing_cell_is_not_kept(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(press, "HOME", tmp_path)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        press.execute(new_notebook(cells=[new_code_cell("1 / 0")]))


def test_heads_are_renewed_without_piling_up(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "picture", lambda name: "![new](x.png)")
    once = notebooks.head("04_deep_daze", "# Title\n\nSentence.\n\n![old](y.png)\n\n[![Open](old)](old)")
    assert once == notebooks.head("04_deep_daze", once)
    assert once.startswith("# Title\n\nSentence.\n\n![new](x.png)\n\n[![Open in Colab](")
    assert "old" not in once


def test_the_quality_table(tmp_path):
    assert notebooks.quality(tmp_path / "none.json") == "Not measured yet."
    file = tmp_path / "quality.json"
    file.write_text('{"vqgan_clip": {"r_precision": 0.714, "thing": 0.6, "color": 0.7, "sky": 0.8,'
                    ' "place": 0.9, "held_out": {"thing": 0.5}, "seconds": 31.6, "n": 100}}')
    assert notebooks.quality(file).splitlines()[-1] == (
        "| vqgan_clip | 71% | 60% | 70% | 80% | 90% | 50% | 32 | 100 |")
