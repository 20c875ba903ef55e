"""The command line: what is asked for arrives, what is wrong is said, pictures are found again."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import stand_ins
from PIL import Image

from helpers import cli, perceptors, runs, systems, vocabulary, weights
from helpers.errors import Refused
from helpers.systems.guided import Guided

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def workshop(monkeypatch, tmp_path):
    """A small system among the others, a folder for its runs, and no zoo that might not know a word."""
    monkeypatch.setitem(systems.SYSTEMS, "small_system", "small_system")
    monkeypatch.setenv("DISCOTHEQUE_ZOO", str(tmp_path / "no zoo"))
    monkeypatch.setenv("DISCOTHEQUE_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("REHEARSAL", raising=False)
    return tmp_path / "runs"


def painted(run, *words):
    """The run folder of a painting that went well."""
    status, out, err = run("paint", "--system", "small_system", *words)
    assert status == 0, err
    picture, folder = re.fullmatch(r"picture  (.*)\nrun      (.*)\n", out).groups()
    assert Path(picture).is_file() and Path(picture).parent == Path(folder)
    assert "small_system: 100%" in err
    return Path(folder)


def test_paint(run, workshop):
    folder = painted(run, "a red boat", "--seed", "7", "--size", "24x16", "--steps=10", "--pause", "0.001")
    assert folder.parent == workshop and runs.load(folder).changed() == {
        "prompts": "a red boat", "seed": 7, "width": 24, "height": 16, "steps": 10, "pause": 0.001}


@pytest.mark.parametrize("words, changed", [
    (["--prompt", "fog | rain:-0.5"], {"prompts": "fog | rain:-0.5"}),
    (["--prompt", "-fog"], {"prompts": "-fog"}),
    (["a", "red", "boat"], {"prompts": "a red boat"}), (["--size", "16"], {"height": 16}),
    (["--size", "32 x 8", "--width", "24"], {"width": 24}), (["--init_image="], {}),
])
def test_what_is_asked_for_arrives(run, words, changed):
    assert runs.load(painted(run, "--steps", "12", *words)).changed() == changed


def test_pictures_one_after_another_have_seeds_of_their_own(run):
    line = "paint boat --system small_system --steps 3 --seed 8 --series 3"
    status, out, _ = run(*line.split())
    folders = [Path(line.split()[1]) for line in out.splitlines() if line.startswith("run")]
    assert status == 0 and [runs.load(folder).seed for folder in folders] == [8, 9, 10]
    alone = painted(run, "boat", "--steps", "3", "--seed", "10") / "picture.png"
    assert images_of(folders[2] / "picture.png") == images_of(alone)
    assert run("paint", "--series", "many")[2] == "series is 'many'; it must be a whole number\n"


def test_the_same_again(run):
    first = painted(run, "--seed", "3")
    status, out, _ = run("again", str(first / "picture.png"))
    second = Path(out.split()[1])
    assert status == 0 and second.parent != first
    assert images_of(second) == images_of(first / "picture.png")
    status, out, _ = run("again", "--seed", "4", str(first))
    assert status == 0 and images_of(Path(out.split()[1])) != images_of(second)
    assert runs.load(Path(out.split()[1])).changed() == {"seed": 4}


def test_again_turns_the_knobs_that_were_turned_on_the_way(run):
    cls = systems.load("small_system").Settings
    first = runs.start("small_system", cls.of(seed=3))
    painting = first.paint()
    for frame in runs.record(painting, first):
        if frame.step == 4:
            first.turn(painting, contrast=3.0)
    status, out, _ = run("again", str(first.picture))
    assert status == 0 and images_of(Path(out.split()[1])) == images_of(first.picture)
    status, out, _ = run("paint", "--system", "small_system", "--seed", "3")
    assert images_of(Path(out.split()[1])) != images_of(first.picture)


def images_of(path):
    from PIL import Image
    return Image.open(path).tobytes()


def test_settings_of_a_picture(run):
    folder = painted(run, "fog", "--steps", "5")
    status, out, _ = run("settings", str(folder / "picture.png"))
    assert status == 0 and out.splitlines()[0].split() == ["system", "small_system"]
    assert "* prompts        fog" in out and "* steps          5" in out and "  seed           0" in out
    status, out, _ = run("settings", str(folder), "--json")
    assert json.loads(out)["system"] == "small_system" and json.loads(out)["settings"]["steps"] == 5


def test_resume_ends_in_the_same_pixels(run, monkeypatch):
    whole = painted(run, "--steps", "12")
    record = runs.record

    def interrupted(painting, folder):
        frames = record(painting, folder)
        for frame in frames:
            yield frame
            if frame.step == 5:
                frames.throw(KeyboardInterrupt)

    monkeypatch.setattr(runs, "record", interrupted)
    status, out, err = run("paint", "--system", "small_system", "--steps", "12")
    folder = Path(out.split()[-1])
    assert status == 130 and (folder / "picture.png").is_file()
    assert f"stopped after 5 of 12 steps; go on with:\n  python -m helpers paint --resume '{folder}'" in err
    monkeypatch.setattr(runs, "record", record)
    status, out, _ = run("paint", "--resume", str(folder))
    assert status == 0 and images_of(folder / "picture.png") == images_of(whole / "picture.png")


def test_after_pictures_of_a_film_it_is_told_how_to_make_it(run, tmp_path):
    (tmp_path / "reel").mkdir()
    Image.new("RGB", (16, 8)).save(tmp_path / "reel" / "1.png")
    words = ["paint", "--system", "small_system", "--steps", "10"]
    status, out, err = run(*words, "--frames", str(tmp_path / "reel"))
    folder = out.split()[-1]
    assert err.endswith(f"make a film of its pictures with:\n  python -m helpers film '{folder}'\n")
    assert run("film", folder)[:2] == (0, f"film     {folder}/film.mp4\n")
    assert "film" not in run(*words)[2]


def test_film(run):
    folder = painted(run, "--steps", "30")
    status, out, err = run("film", str(folder), "--to", str(folder / "film.gif"), "--fps", "10")
    assert status == 0 and out == f"film     {folder / 'film.gif'}\n" and (folder / "film.gif").is_file()
    status, out, err = run("film", str(folder), "--to", str(folder / "film.gif"), "--length", "99")
    assert status == 2 and err.startswith("length is 99, of ")


def test_systems(run):
    status, out, _ = run("systems")
    assert status == 0 and re.search("^deep_daze +DeepDaze", out, re.MULTILINE) and "vqgan_clip" in out


def test_help_lists_every_knob_with_range_and_default(capsys):
    for name in systems.SYSTEMS:
        with pytest.raises(SystemExit) as left:
            cli.main(["paint", "--system", name, "--help"])
        said = " ".join(capsys.readouterr().out.split())
        assert left.value.code == 0
        for knob in cli.systems.load(name).Settings().to_dict():
            assert f"--{knob.replace('_', '-')} " in said
    assert "[between 8 and 64 in steps of 8; default 16]" in said


def test_help_needs_no_torch():
    code = ("import sys\nfrom helpers import cli\nassert cli.main(['--help']) == 0\ncli.main(['systems'])\n"
            "try:\n    cli.main(['paint', '--system', 'vqgan_clip', '--help'])\n"
            "except SystemExit:\n    sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=HERE.parent, capture_output=True).returncode == 0


EXAMPLE = "try 'a red lighthouse by the sea at sunset'"
PAINT = "python -m helpers paint --help lists what there is"


@pytest.mark.parametrize("line, message", [
    ("pant", "no command called 'pant'; did you mean 'paint'?"),
    ("zzz", "no command called 'zzz'; choose one of 'paint', 'again', 'outpaint', 'crop', 'mask', "
            "'compare', 'runs', 'states', 'undo', 'branch', 'film', 'settings', 'systems', 'presets'"),
    ("paint --system deepdaze", "no system called 'deepdaze'; did you mean 'deep_daze'?"),
    ("paint --system=zzz", "no system called 'zzz'; choose one of 'gan', 'pix2pix', 'deep_daze', "
     "'big_sleep', 'vqgan_clip', 'clip_guided_diffusion', 'disco_diffusion', 'small_system'"),
    ("paint --system vqgan", "no system called 'vqgan'; did you mean 'vqgan_clip'?"),
    ("paint --system", f"argument --system: expected one argument; {PAINT}"),
    ("paint --sytem deep_daze", "no setting called 'sytem'; did you mean 'system'?"),
    ("paint --stpes 5", "no setting called 'stpes'; did you mean 'steps'?"),
    ("paint --cutm=5", "no setting called 'cutm'; did you mean 'crops'?"),
    ("paint --cutn=5", "no setting called 'cutn'; did you mean 'crops'?"),
    ("paint --save_video", "no setting called 'save_video'; a film is made of a run once it is painted: "
                           "python -m helpers film RUN, or studio.film(run) in a notebook"),
    ("paint --edge_weight=5", "no setting called 'edge_weight'; did you mean 'edge'?"),
    ("paint --iterations 5", "no setting called 'iterations'; did you mean 'steps'?"),
    ("paint --steps", f"argument --steps: expected one argument; {PAINT}"),
    ("paint --steps many", "steps is 'many'; it must be a whole number: try 40"),
    ("paint --size 500", "width is 500; it goes in steps of 32: try 480 or 512"),
    ("paint --size huge", "size is 'huge'; it must be a side, or width x height: try 256 or 256x128"),
    ("paint --size " + "9" * 5000, f"size is '{'9' * 5000}'; it must be a side, or width x height: "
                                   "try 256 or 256x128"),
    ("paint --series " + "9" * 5000, f"series is '{'9' * 5000}'; it must be a whole number"),
    ("paint fog --steps 5 rain", "'rain' stands alone; a value follows its --knob: "
                                 "put words with spaces in quotes"),
    ("paint fog --prompts rain", "prompts is given twice; as words and as --prompts: leave one out"),
    ("paint --prompts=", f"prompts is empty; it needs at least one word: {EXAMPLE}"),
    ("paint --resume nowhere --steps 5",
     "--resume goes on with the settings of the run; it takes no other knobs: "
     "leave them out, or paint anew without --resume"),
    ("again", "again needs a picture; any PNG painted here, or the folder of its run: name one"),
    ("settings", "the following arguments are required: picture; "
                 "python -m helpers settings --help lists what there is"),
    ("settings a.png --jsn", "no setting called 'jsn'; did you mean 'json'?"),
    ("film runs --fps fast", "fps is 'fast'; it must be a number"),
    ("film runs --crossfade 1.5", "crossfade is '1.5'; it must be a whole number"),
])
def test_refusals(run, workshop, line, message):
    status, out, err = run(*line.split())
    assert (status, out, err) == (2, "", message + "\n") and not workshop.exists()


def test_resuming_what_is_no_run(run, workshop):
    status, _, err = run("paint", "--resume", "nowhere")
    assert status == 2 and err == ("'nowhere' is not a run; a run is a folder with a manifest.json: "
                                   f"look for one in '{workshop}'\n")


def test_as_a_program(tmp_path):
    env = {**os.environ, "DISCOTHEQUE_RUNS": str(tmp_path)}
    command = [sys.executable, "-m", "helpers", "paint", "--steps", "0"]
    done = subprocess.run(command, cwd=HERE.parent, env=env, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "steps is 0; it must be between 1 and 5000: try 1\n"


@pytest.mark.parametrize("line, said", [
    ("--prior-model nosuch", "no prior_model called 'nosuch'; "),
    ("--system clip_guided_diffusion --model nosuch", "no model called 'nosuch'; "),
])
def test_unknown_networks_are_told_by_their_knobs(run, monkeypatch, workshop, line, said):
    monkeypatch.delenv("DISCOTHEQUE_ZOO")
    assert run("paint", "a lighthouse", *line.split())[2].startswith(said) and not workshop.exists()


def test_of_many_names_the_nearest_are_listed(run):
    said = run("paint", "--stops", "9")[2]
    assert said.startswith("no setting called 'stops'; did you mean 'steps'?")
    said = run("paint", "--zzz", "9")[2]
    assert re.match(r"no setting called 'zzz'; the nearest of \d+ are 'fuzzy', 'zoom', ", said)
    assert said.count("'") == 2 + 2 * 8


@pytest.mark.parametrize("text, said", [
    ("lihgthouse", "did you mean 'lighthouse'? Else to have it all set perceptors"),
    ("a casle and a hosue", "did you mean 'castle', 'house'? Else to have it all set"),
    ("a dragon", "show: to have it all set perceptors")])
def test_slips_of_the_pen_lead_to_no_download(run, monkeypatch, text, said):
    monkeypatch.delenv("DISCOTHEQUE_ZOO")
    status, _, err = run("paint", text)
    assert status == 2 and said in err


@pytest.mark.parametrize("words", [["systems"], ["--help"]])
def test_readers_who_leave_early(words):
    """As `python -m helpers systems | head -1` does."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "helpers", *words], cwd=HERE.parent, stdout=write,
                          stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.fixture
def taught(monkeypatch):
    """An embedded perceptor that was taught five words."""
    eye, known = stand_ins.Eye(), "a red boat by the sea".split()
    eye.unknown_words = lambda text: [word for word in text.split() if word not in known]
    monkeypatch.setattr(perceptors, "load", lambda name, *_, **__: eye)
    monkeypatch.setattr(weights, "embedded", lambda: ["disco-resnet", "disco-darknet", "vqgan-world"])
    monkeypatch.setattr(perceptors, "text_config", lambda name: {})
    monkeypatch.setattr(weights, "catalogue", lambda: {"ViT-B/32": {"size": 338e6},
                                                       "imagenet_f16_16384": {"size": 980e6}})


REST = "it paints the rest: to have it all"
ADVICE = "to have it all set perceptors to 'ViT-B/32', public, 338 MB once"


def test_unknown_words_are_named(taught):
    say = vocabulary.check
    assert say(Guided(prompts="a red boat by the sea")) == ""
    assert say(Guided(prompts="a red dragon:0.5 | neon sea")) == \
        f"'dragon', 'neon' are words the embedded world never saw; it paints the rest: {ADVICE}"
    assert say(Guided(prompts="boat ^ a purple boat")) == \
        f"'purple' is a word the embedded world never saw; it paints the rest: {ADVICE}"
    assert say(systems.load("vqgan_clip").Settings(prompts="a boat dragon")) == (
        "'dragon' is a word the embedded world never saw; it paints the rest: "
        "to have it all set perceptors to 'ViT-B/32' and vqgan to 'imagenet_f16_16384', public, 1318 MB once")
    assert say(Guided(prompts="dragon", perceptors="disco-darknet, ViT-B/32")) == "", "somebody knows it"
    mine = Guided(prompts="a boat dragon", perceptors="disco-resnet=/my/last.safetensors")
    assert say(mine).startswith("'dragon' is a word"), "a file of one's own reads no other words"
    assert say(Guided(prompts="", image_prompts="a.png")) == ""
    assert say(Guided(prompts="dragon", image_prompts="a.png")).startswith("'dragon' is a word")


@pytest.mark.parametrize("name", ["clip_guided_diffusion", "disco_diffusion"])
def test_a_diffusion_of_other_words_needs_another_network_too(monkeypatch, name):
    """The built-in one would go on painting the things of its world, whoever looks."""
    monkeypatch.delenv("DISCOTHEQUE_ZOO")
    public = "set perceptors to 'ViT-B/32' and model to '256x256_diffusion_uncond', public, 2549 MB once"
    settings = systems.load(name).Settings(prompts="a dragon in the snow")
    assert vocabulary.check(settings).endswith(f"to have it all {public}, and width and height to 256")
    assert vocabulary.check(settings.but(width=256, height=192)).endswith(public)
    assert vocabulary.check(settings.but(model="128x128_diffusion")).endswith(ADVICE), "that one is there"


NOTHING = "the rest names no thing, place or sky that it could show"


@pytest.mark.parametrize("text, strange", [
    ("a dragon by the neon", "'dragon', 'neon' are words"), ("a red dragon", "'dragon' is a word"),
    ("a boat ^ a red dragon", "'dragon' is a word"), ("dragon | boat:-1", "'dragon' is a word"),
    ("a red castle", "'castle' is a word"),         # the world has castles, but these eyes were not taught it
])
def test_unknown_words_beside_nothing_to_show_are_refused(taught, text, strange):
    with pytest.raises(Refused) as refused:
        vocabulary.check(Guided(prompts=text))
    assert str(refused.value) == f"{strange} the embedded world never saw; {NOTHING}: {ADVICE}"
    assert vocabulary.check(Guided(prompts=text, init_image="a.png")).startswith(strange)


@pytest.mark.parametrize("text, said", [
    ("red", ""), ("red | neon:-1", "'neon' is a word"), ("a boat dragon ^ red", "'dragon' is a word"),
    ("dragon over the sea", "'dragon', 'over' are words"),
    ("the sea | neon dragon:0.5", "'neon', 'dragon' are")])
def test_unknown_words_beside_known_things_are_only_named(taught, text, said):
    assert vocabulary.check(Guided(prompts=text)).startswith(said)


@pytest.mark.parametrize("text, said", [
    ("boat | neon:-1", "'neon' is a word the embedded world never saw; it cannot keep away from 'neon': "),
    ("neon:-1", "'neon' is a word the embedded world never saw; it cannot keep away from 'neon': "),
    ("boat dragon | neon:-1", "'dragon', 'neon' are words the embedded world never saw; it paints the rest "
                              "and cannot keep away from 'neon': "), ("boat | neon:0", ""), ("neon:0", "")])
def test_of_unknown_words_with_weights_the_truth_is_said(taught, text, said):
    told = vocabulary.check(Guided(prompts=text))
    assert told.startswith(said) and bool(told) == bool(said)


@pytest.mark.parametrize("text", ["???", "boat | \N{GRINNING FACE}", "boat | _:-1", "boat ^ ..."])
def test_prompts_without_a_letter_or_digit_are_refused(run, taught, workshop, text):
    status, out, err = run("paint", text, "--system", "small_system", "--init-image", "")
    sign = text.split("|")[-1].split("^")[-1].strip().removesuffix(":-1")
    assert (status, out) == (2, "") and not workshop.exists()
    assert err == (f"prompts has {sign!r}; the built-in perceptors read letters and digits only: "
                   "try 'a red lighthouse by the sea at sunset'\n")
    assert vocabulary.check(Guided(prompts=text, perceptors="ViT-B/32")) == "", "who has seen all signs"


LONG = "a red boat by the sea by the red sea"       # of which a stand-in reads 8 tokens
SHORTER = "make it shorter, part it into several prompts with |, or"
CUT = "disco-resnet reads 8 tokens, words or parts of words, and it has 10: " + SHORTER


def test_ends_of_prompts_that_nobody_reads_are_named(taught):
    say = vocabulary.check
    story = "let deep_daze tell it as a story"
    assert say(Guided(prompts=LONG)) == f"a prompt is cut from 'red sea' on; {CUT} {story}"
    assert say(Guided(prompts="a red boat by the sea by the:0.5")) == "", "eight fit, and no weight is one"
    assert say(Guided(prompts="a red boat by | the sea by the red sea ^ a boat")) == "", "each by itself"
    many = say(Guided(prompts=f"boat | {LONG}:2 ^ boat {LONG} ^ {LONG}:-1")).splitlines()
    assert [line.partition(" on;")[0] for line in many] == ["a prompt is cut from 'red sea'",
                                                            "a prompt is cut from 'the red sea'"]
    both = say(Guided(prompts=f"{LONG} dragon")).splitlines()
    assert both[0].startswith("'dragon' is a word")
    assert both[1].startswith("a prompt is cut from 'red sea dragon'")


def test_stories_of_deep_daze_fit_by_themselves(taught):
    def say(prompts, story):
        return vocabulary.check(systems.load("deep_daze").Settings(prompts=prompts, story=story,
                                                                   story_separator=" by "))
    assert say(LONG, "off").endswith(f"{SHORTER} set story to 'words'")
    assert say(f"{LONG} {LONG}", "words") == ""
    assert say(LONG, "sentences") == ""
    assert say(f"boat by {'the sea ' * 5}", "sentences").startswith("a prompt is cut from 'the sea' on; ")


@pytest.mark.parametrize("names, name, room, end", [
    ("ViT-B/32, RN50", "ViT-B/32", 75, 75), ("ViT-B/32, disco-darknet", "disco-darknet", 30, 30),
    ("ViT-B-32:laion2b_s34b_b79k", "ViT-B-32:laion2b_s34b_b79k", 75, 75), ("nobody, RN50", "RN50", 75, 75)])
def test_who_has_the_least_room_is_named_without_a_download(monkeypatch, names, name, room, end):
    monkeypatch.delenv("DISCOTHEQUE_ZOO")
    fitting = "sea " * (end - 1)
    assert vocabulary.check(Guided(prompts=f"{fitting}boat", perceptors=names)) == ""
    said = vocabulary.check(Guided(prompts=f"{fitting}boat red snow", perceptors=names))
    assert said.startswith(f"a prompt is cut from 'red snow' on; {name} reads {room} tokens")
    assert f"and it has {end + 2}: " in said


def test_a_tokenizer_that_comes_with_the_weights_is_not_asked():
    assert vocabulary.check(Guided(prompts="sea " * 200, perceptors="ViT-B-16-SigLIP:webli")) == ""


def test_painting_says_which_prompts_are_cut(run, taught):
    status, _, err = run("paint", LONG, "--system", "small_system", "--steps", "2")
    assert status == 0 and err.startswith(f"a prompt is cut from 'red sea' on; {CUT}")


def test_painting_says_which_words_are_unknown(run, taught):
    status, _, err = run("paint", "a boat dragon", "--system", "small_system", "--steps", "2")
    assert status == 0 and err.startswith(f"'dragon' is a word the embedded world never saw; {REST}")

