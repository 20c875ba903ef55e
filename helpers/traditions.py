"""Names from older notebooks that stand in no knob's help: where they went.

`MOVED`: old name -> knob. `GONE`: old name -> the last two parts of a refusal. `VALUES`: old value of a knob
with choices -> the choice; these are the letters of VQGAN-CLIP's -aug.
"""

MOVED = {"zoom_start": "steps", "iterations_for_first_frame": "steps", "save_progress": "every",
         "save_freq": "every", "init_weight_method": "init_decay", "optimiser": "optimizer",
         "num_cutouts": "crops"}
VALUES = {"Af": "affine", "Cr": "zoom", "Er": "erase", "Et": "elastic", "Gn": "noise", "Hf": "flip",
          "Ji": "jitter", "Pe": "perspective", "Re": "zoom", "Ro": "rotate", "Sh": "sharpness", "Ts": "warp"}
FILM = "a film is made of a run once it is painted"
ANSWERS = {
    "make_video record_generation save_gif save_video":
        (FILM, "python -m helpers film RUN, or studio.film(run) in a notebook"),
    "video_length": (FILM, "python -m helpers film RUN --length 10, or studio.film(run, length=10)"),
    "input_video_fps": (FILM, "python -m helpers film RUN --fps 15, or studio.film(run, fps=15)"),
    "output_video_fps": (FILM, "python -m helpers film RUN --fps 30 --crossfade 1, or "
                               "studio.film(run, fps=30, crossfade=1)"),
    "n_batches": ("pictures one after another are runs of their own, each with the next seed",
                  "python -m helpers paint --series 4, Compare across seeds in the panel, or pictures=4 for "
                  "several at once"),
    "output overwrite save_date_time open_folder":
        ("every run has a folder of its own, named by date and words, and overwrites none",
         "DISCOTHEQUE_RUNS=FOLDER says where"),
    "deterministic cudnn_determinism torch_deterministic":
        ("the same seed gives the same picture in any case", "leave it out"),
    "jit verbose": ("there is nothing to choose any more", "leave it out"),
    "text_min": ("what to keep away from is a prompt of a weight below 0",
                 "try prompts='a castle | fog:-0.5'"),
    "bilinear experimental_resample": ("every look is resized with antialiasing", "leave it out"),
    "larger_clip larger_model": ("perceptors names who looks", "try perceptors='ViT-L/14'"),
    "append_seed": ("the seed stands in every picture and in the manifest of its run", "leave it out"),
    "random": ("a seed that is known paints the same again", "try another seed, or --series 4"),
    "set_text reset": ("words can be changed while they are painted, and a new run begins anew",
                       "run.turn(painting, prompts='…') in a notebook"),
    "max_itter": ("a painting has an end, after `steps`",
                  "try steps=5000, and stop when you like: the picture is kept"),
    "cut_method":
        ("there is one way of cutting, antialiased, without pooling, by overview, crops and augment",
         "try overview=0 for crops alone"),
    "vqgan_model_yaml_url vqgan_model_ckpt_url":
        ("a VQGAN is a name or a file, whose shape is read off its weights",
         "try vqgan=/my/last.ckpt, or vqgan=NAME=/my/last.ckpt for a name of the catalogue"),
    "model_dir": ("downloads are kept in ~/.cache/discotheque", "DISCOTHEQUE_CACHE=FOLDER says where else"),
}
GONE = {name: answer for old, answer in ANSWERS.items() for name in old.split()}


def choice(text: str, choices) -> str | None:
    """The choices that old letters stand for, 'Af Pe' -> 'affine, perspective', or None."""
    found = [VALUES.get(word) for word in text.split()]
    return ", ".join(found) if found and set(found) <= set(choices) else None
