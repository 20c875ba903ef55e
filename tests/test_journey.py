"""An artist's way through the panel, in a real browser: once on the page of `make app`, once in JupyterLab.

What it looked like on the way is kept in artifacts/, to be looked at.
"""

import re
import shutil
import time

import pytest
import stand_ins
from app_server import ROOT, free_port, served, started
from PIL import Image

from helpers import app, picture_files, runs

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
SHOTS = ROOT / "artifacts"
ELSEWHERE = re.compile(r"https?://(?!127\.0\.0\.1)")
COUNTED = "button => getComputedStyle(button).fontSize"     # of what ipywidgets writes on it
PATIENCE = 90_000       # milliseconds for what may take long, on a machine that does other things too


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("THE PANEL IS NOT TESTED IN A BROWSER: none of "
                    f"{', '.join(BROWSERS)} is here; on Debian: sudo apt install chromium")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1240, "height": 900})
    page.set_default_timeout(PATIENCE)
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("console", lambda said: said.type == "error" and page.wrong.append(said.text))
    page.on("request", lambda asked: ELSEWHERE.match(asked.url) and page.wrong.append(asked.url))
    yield page
    page.close()


def shot(page, name):
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def field(page, name):
    """A knob by the name that stands before it."""
    return page.locator(f".jupyter-widgets:has(> label:text-is('{name}'))").first


def button(page, name):
    return page.locator(f"button:has-text('{name}')").first


def slide(page, name, key, value):
    handle = field(page, name).locator(".noUi-handle")
    handle.focus()
    handle.press(key)
    expect_text(field(page, name).locator(".widget-readout"), value)


def expect_text(place, value):
    from playwright.sync_api import expect
    expect(place).to_have_text(re.compile(value), timeout=PATIENCE)


def until(true, seconds=PATIENCE / 1000):
    """Wait for what no page shows."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)


def picture(page):
    return page.locator("img.widget-image")


def steps_done(page) -> int:
    told = re.search(r"(?:step|after) (?:step )?(\d+)", page.locator("text=/step \\d+ of \\d+/").inner_text())
    return int(told[1])


def journey(page, name, home):
    """From an open panel to a run that is stopped, found again in the gallery, and used again; and then from
    a picture of the artist's own."""
    button(page, "Paint").wait_for()
    shot(page, f"{name}-1-open")
    say(page, "a blue boat by the sea")
    for side in ("width", "height"):
        slide(page, side, "ArrowLeft", "96")
    paint_and_steer(page, name, home)
    run, = runs.all_runs(home)
    assert (run.settings.prompts, run.settings.width) == ("a blue boat by the sea", 96)
    assert not run.manifest["live"] and run.picture.exists(), "undone"
    find_again(page, name)
    crop_and_extend(page, name, photograph(home / "photo.png"))


def look_for(page, knob):
    search = page.get_by_placeholder("crops, cutn")
    search.fill(knob)
    search.press("Enter")


def say(page, text):
    words = page.get_by_placeholder("words", exact=True)
    words.fill(text)
    words.press("Enter")
    until(lambda: told(page) == text)


def told(page) -> str:
    return field(page, "prompts").locator("textarea").input_value()


def find_again(page, name):
    say(page, "a red cat")
    slide(page, "width", "ArrowLeft", "64")
    page.get_by_role("tab", name="Gallery").click()
    page.get_by_role("button", name="Open", exact=True).first.click()
    shot(page, f"{name}-5-gallery")
    page.get_by_role("button", name="Use these settings").click()
    until(lambda: told(page) == "a blue boat by the sea")
    expect_text(field(page, "width").locator(".widget-readout"), "96")


def photograph(path):
    Image.fromarray(stand_ins.photo(height=480, width=640)).save(path)
    return path


def crop_and_extend(page, name, photo):
    """A picture is uploaded, a part of it taken and the whole again, which gets a larger canvas."""
    look_for(page, "init_image")
    named = field(page, "init image").locator("input")
    with page.expect_file_chooser() as chooser:
        upload = page.locator("button:has-text('upload a picture'):visible").first
        until(lambda: upload.evaluate(COUNTED) == "0px")        # "upload a picture (0)"
        upload.click()
    chooser.value.set_files(photo)
    press(page, "Crop")
    whole = named.input_value()
    drag(page, ".framing i.r.b", -60, -90)
    expect_text(field(page, "across").locator(".widget-readout"), r"80 – [34]\d\d")
    shot(page, f"{name}-6-crop")
    press(page, "Use this part")
    until(lambda: named.input_value() != whole)
    wide, high = picture_files.load(named.input_value()).size
    assert wide == high < 440                       # a square, as is the canvas
    press(page, "Undo crop")
    until(lambda: named.input_value() == whole)
    page.get_by_text("A larger canvas").click()
    press(page, "Open the frame")
    drag(page, ".framing i.r:not(.t, .b)", 50, 0)
    expect_text(page.get_by_text("The canvas becomes"), "The canvas becomes (128|160) x 96")
    shot(page, f"{name}-7-frame")
    press(page, "Extend")
    until(lambda: field(page, "mask").locator("input").input_value())
    wide, high = picture_files.load(named.input_value()).size
    assert wide > 640 and high == 480
    look_for(page, "")
    expect_text(field(page, "width").locator(".widget-readout"), "128|160")


def press(page, name):
    page.locator(f"button:text-is('{name}'):visible").click()


def drag(page, what, across, down):
    place = page.locator(what)
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across, y + down, steps=6)
    page.mouse.up()


def paint_and_steer(page, name, home):
    button(page, "Paint").click()
    picture(page).wait_for()
    first = picture(page).get_attribute("src")
    until(lambda: picture(page).get_attribute("src") != first)
    look_for(page, "learning_rate")
    rate = field(page, "learning rate").locator("input")
    rate.fill("0.2")
    rate.press("Enter")
    until(lambda: [turn for run in runs.all_runs(home) for turn in run.manifest["live"]])
    look_for(page, "")
    shot(page, f"{name}-2-painting")
    button(page, "Pause").click()
    page.locator("text=/paused after step/").wait_for()
    shot(page, f"{name}-3-paused")
    states = field(page, "undo to").locator("select")
    offered = states.locator("option").filter(has_text=re.compile("^step"))     # its spaces do not break
    until(offered.count)
    early = offered.last.text_content().replace("\xa0", " ")
    states.select_option(label=early)
    button(page, "Undo").click()
    page.locator(f"text=/paused after {early} of/").wait_for()
    rested = steps_done(page)
    button(page, "Resume").click()
    until(lambda: steps_done(page) > rested)
    button(page, "Stop").click()
    page.locator("text=/stopped after step/").wait_for()
    shot(page, f"{name}-4-stopped")


def look_around(page, name):
    """In the dark, and in a narrow window, where nothing may stick out."""
    page.emulate_media(color_scheme="dark")
    shot(page, f"{name}-8-dark")
    page.set_viewport_size({"width": 390, "height": 1500})
    time.sleep(0.5)         # for what is laid out anew
    shot(page, f"{name}-9-narrow")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page(page, tmp_path):
    with served(tmp_path) as address:
        page.goto(address)
        journey(page, "page", tmp_path)
        look_around(page, "page")
        assert page.title() == "Discotheque" and not page.wrong
        kernel = re.search('"kernelId": "([^"]+)"', page.content())[1]
        known = address.replace("?", f"api/kernels/{kernel}?")
        assert page.request.get(known).status == 200
        page.goto("about:blank")
        until(lambda: page.request.get(known).status == 404)        # its kernel went with it


def begun(page) -> bool:
    """Run the cell, unless it runs or has run: JupyterLab hears no keys until all of it is there."""
    if not re.search(r"\[[*\d]", page.locator(".jp-InputPrompt").first.inner_text()):
        page.locator(".jp-CodeCell .cm-content").first.click()
        page.keyboard.press("Control+Enter")
        time.sleep(1)
        return False
    return True


def test_jupyterlab(page, tmp_path):
    """In its dark theme."""
    home, port = tmp_path / "runs", free_port()
    shutil.copy(app.PAGE / "discotheque.ipynb", tmp_path)
    words = ["-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
             f"--ServerApp.root_dir={tmp_path}", "--IdentityProvider.token=t",
             "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    own = {name: str(tmp_path / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    theme = tmp_path / "JUPYTER_CONFIG_DIR/lab/user-settings/@jupyterlab/apputils-extension"
    theme.mkdir(parents=True)
    (theme / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')
    with started(words, r"http://127\.0\.0\.1:\d+/", home, PYTHONPATH=str(ROOT), **own) as place:
        page.goto(f"{place}lab/tree/discotheque.ipynb?token=t")     # another port where this one was taken
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(state="attached")
        until(lambda: begun(page))
        journey(page, "lab", home)
