"""What Disco Diffusion 5 and discoart called things, and what stood there unless somebody changed it.

`CLIPS`: the switch of a CLIP -> our perceptor, `OPENAI`: one of OpenAI's -> ours, `SIDES`: part of a name ->
pixels it sees. `DISCO`: old setting -> default, where there is a counterpart; `DISCOART`: where it differs.
`GROUPS`: what stood there where discoart's cut_schedules_group named one of these. `OWN`: who has one of
these is discoart's. `ALIASES`: other spellings. `ANIMATION`: old setting -> default.
`GONE`: old setting -> (default, why there is nothing like it here).
"""

# In the order in which Disco Diffusion asks them, misspelt as they were. A name with a colon is open_clip's.
CLIPS = {
    "ViTB32": "ViT-B/32", "ViTB16": "ViT-B/16", "ViTL14": "ViT-L/14", "ViTL14_336px": "ViT-L/14@336px",
    "RN101": "RN101", "RN50": "RN50", "RN50x4": "RN50x4", "RN50x16": "RN50x16", "RN50x64": "RN50x64:openai",
    "ViTB32_laion2b_e16": "ViT-B-32:laion2b_e16",
    "ViTB32_laion400m_e31": "ViT-B-32:laion400m_e31", "ViTB32_laion400m_32": "ViT-B-32:laion400m_e32",
    "ViTB32quickgelu_laion400m_e31": "ViT-B-32-quickgelu:laion400m_e31",
    "ViTB32quickgelu_laion400m_e32": "ViT-B-32-quickgelu:laion400m_e32",
    "ViTB16_laion400m_e31": "ViT-B-16:laion400m_e31", "ViTB16_laion400m_e32": "ViT-B-16:laion400m_e32",
    "RN50_yffcc15m": "RN50:yfcc15m", "RN50_cc12m": "RN50:cc12m",
    "RN50_quickgelu_yfcc15m": "RN50-quickgelu:yfcc15m", "RN50_quickgelu_cc12m": "RN50-quickgelu:cc12m",
    "RN101_yfcc15m": "RN101:yfcc15m", "RN101_quickgelu_yfcc15m": "RN101-quickgelu:yfcc15m",
}
OPENAI = {"ViT-B-32": "ViT-B/32", "ViT-B-16": "ViT-B/16", "ViT-L-14": "ViT-L/14",
          "ViT-L-14-336": "ViT-L/14@336px", "RN50": "RN50", "RN50x4": "RN50x4", "RN50x16": "RN50x16",
          "RN101": "RN101"}
SIDES = {"336": 336, "240": 240, "RN50x4": 288, "RN50x16": 384, "RN50x64": 448}     # others see 224

DISCO = {
    "text_prompts": None, "image_prompts": None, "seed": None, "steps": 250, "diffusion_steps": None,
    "skip_steps": 10, "width": 1280, "height": 768, "width_height": None, "batch_size": 1,
    "display_rate": None, "intermediate_saves": None,
    "diffusion_model": "512x512_diffusion_uncond_finetune_008100", "use_secondary_model": True,
    "diffusion_sampling_mode": "ddim", "eta": 0.8, "clip_denoised": False, "clamp_grad": True,
    "clamp_max": 0.05, "clip_guidance_scale": 5000, "tv_scale": 0, "range_scale": 150, "sat_scale": 0,
    "init_image": "", "init_scale": 1000, "perlin_init": False, "perlin_mode": "mixed",
    "cut_overview": "[12]*400+[4]*600", "cut_innercut": "[4]*400+[12]*600", "cut_ic_pow": 1,
    "cut_icgray_p": "[0.2]*400+[0]*600", "cutn_batches": 4, "skip_augs": False, "fuzzy_prompt": False,
    "rand_mag": 0.05, "use_horizontal_symmetry": False, "use_vertical_symmetry": False,
    "transformation_percent": [0.09], "clip_models": None, "clip_models_schedules": None,
    **{name: name in ("ViTB32", "ViTB16", "RN50") for name in CLIPS},
}
DISCOART = {"skip_steps": 0, "clip_models": ["ViT-B-32::openai", "ViT-B-16::openai", "RN50::openai"]}
GROUPS = {
    "default": {},
    "pad_or_pulp": {
        "cut_overview": "[15]*200+[12]*200+[6]*100+[4]*100+[2]*200+[0]*200",
        "cut_innercut": "[1]*200+[4]*200+[8]*200+[10]*400", "cut_ic_pow": "[12]*500+[10]*500",
        "cut_icgray_p": "[0.87]*100+[0.78]*50+[0.73]*50+[0.64]*60+[0.56]*40+[0.5]*50+[0.33]*100+[0.19]*150"
                        "+[0]*400"},
    "watercolor": {
        "cut_overview": "[14]*200+[12]*200+[4]*400+[0]*200", "cut_innercut": "[2]*200+[4]*200+[12]*600",
        "cut_ic_pow": "[12]*500+[10]*500",
        "cut_icgray_p": "[0.7]*100+[0.6]*100+[0.45]*100+[0.3]*100+[0]*600"},
    "han_fav": {
        "cut_overview": "[8]*200+[6]*200+[4]*200+[0]*400",
        "cut_innercut": "[0]*200+[2]*200+[4]*200+[6]*200+[10]*200",
        "cut_ic_pow": "[0]*200+[10]*400+[60]*200+[80]*200",
        "cut_icgray_p": "[0.5]*100+[0.4]*100+[0.2]*100+[0.1]*100+[0]*600",
        "cutn_batches": 8, "clip_guidance_scale": 12000, "clamp_max": 0.1, "tv_scale": 60000,
        "sat_scale": 10000, "range_scale": 10000,
        "clip_models": [f"{name}::openai" for name in ("ViT-B-32", "ViT-B-16", "ViT-L-14", "RN101", "RN50")]},
}
OWN = {"clip_models", "clip_models_schedules", "name_docarray", "cut_schedules_group",
       "diffusion_model_config", "on_misspelled_token", "text_clip_on_cpu"}
ALIASES = {"set_seed": "seed", "width_height_for_512x512_models": "width_height",
           "ViTB32_laion400m_e32": "ViTB32_laion400m_32", "RN50_yfcc15m": "RN50_yffcc15m"}

ANIMATION = {
    "animation_mode": "None", "key_frames": True, "max_frames": 10000, "interp_spline": "Linear",
    "angle": "0: (0)", "zoom": "0: (1), 10: (1.05)", "translation_x": "0: (0)", "translation_y": "0: (0)",
    "translation_z": "0: (10.0)", "rotation_3d_x": "0: (0)", "rotation_3d_y": "0: (0)",
    "rotation_3d_z": "0: (0)", "midas_depth_model": "dpt_large", "midas_weight": 0.3, "near_plane": 200,
    "far_plane": 10000, "fov": 40, "padding_mode": "border", "sampling_mode": "bicubic",
    "turbo_mode": False, "turbo_steps": "3", "turbo_preroll": 10, "frames_scale": 1500,
    "frames_skip_steps": "60%", "vr_mode": False, "vr_eye_angle": 0.5, "vr_ipd": 5.0,
    "extract_nth_frame": 2, "video_init_path": "init.mp4", "video_init_seed_continuity": False,
    "persistent_frame_output_in_batch_folder": True, "video_init_steps": 100,
    "video_init_clip_guidance_scale": 1000, "video_init_tv_scale": 0.1, "video_init_range_scale": 150,
    "video_init_sat_scale": 300, "video_init_cutn_batches": 4, "video_init_skip_steps": 50,
    "video_init_frames_scale": 15000, "video_init_frames_skip_steps": "70%", "video_init_flow_warp": True,
    "video_init_flow_blend": 0.999, "video_init_check_consistency": False,
    "video_init_blend_mode": "optical flow",
}

_FOLDER = "every run has a folder of its own, named by date and words"
_RESUME = "python -m helpers paint --resume RUN goes on with a run"
_EVERY = "each look at the picture is kept; `every` says how often"
_FILM = "a film is made of a run once it is painted: python -m helpers film RUN"
_MEMORY = "memory is looked after without it"
_BY_HAND = "a painting is stopped by hand"
_SLIP = "there is no SLIP among the perceptors"
_SHARPEN = "see the knob upscaler"
_CUTN = "cut_overview and cut_innercut came in its place, and stand as they were by default"
GONE = {
    "batch_name": ("TimeToDisco", _FOLDER), "name_docarray": (None, _FOLDER),
    "n_batches": (1, "pictures one after another are runs of their own: python -m helpers paint --series 4, "
                     "or Compare across seeds in the panel"),
    "resume_run": (False, _RESUME), "run_to_resume": ("latest", _RESUME),
    "resume_from_frame": ("latest", _RESUME), "retain_overwritten_frames": (False, _RESUME),
    "intermediates_in_subfolder": (True, _EVERY), "save_rate": (20, _EVERY), "progress_rate": (10, _EVERY),
    "image_output": (True, _EVERY), "gif_fps": (20, _FILM), "gif_size_ratio": (0.5, _FILM),
    "text_clip_on_cpu": (False, _MEMORY), "clip_sequential_evaluate": (False, _MEMORY),
    "use_checkpoint": (True, _MEMORY), "useCPU": (False, "the knob device says where to compute"),
    "init_document": (None, "give its picture as init_image"),
    "truncate_overlength_prompt": (False, "what is too long for a perceptor is cut off, and said"),
    "on_misspelled_token": ("ignore", "words are taken as they are written"),
    "visualize_cuts": (False, "helpers.systems.wiring.looks gives what the perceptors are shown"),
    "custom_path": (None, "give the file as model"),
    "diffusion_model_config": (None, "a network's shape is in the catalogue, or in a .json beside its file"),
    "randomize_class": (True, "it never had an effect: those networks know no classes"),
    "skip_event": (None, _BY_HAND), "stop_event": (None, _BY_HAND),
    "cutn": (16, _CUTN), "cut_pow": (1, _CUTN), "SLIPB16": (False, _SLIP), "SLIPL16": (False, _SLIP),
    "sharpen_preset": ("Off", _SHARPEN), "keep_unsharp": (True, _SHARPEN),
}
