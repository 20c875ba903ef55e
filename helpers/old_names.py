"""Names in the settings of Disco Diffusion and discoart, and what they are called here."""

# What needs no more than another name.
RENAMED = {"steps": "steps", "eta": "eta", "cut_overview": "overview", "cut_innercut": "crops",
           "cut_ic_pow": "crop_power", "cut_icgray_p": "gray_crops", "cutn_batches": "batches",
           "skip_steps": "skip", "width": "width", "height": "height", "display_rate": "every",
           "diffusion_sampling_mode": "sampler", "batch_size": "pictures"}
MOVING = set("""
    key_frames max_frames interp_spline angle zoom translation_x translation_y translation_z rotation_3d_x
    rotation_3d_y rotation_3d_z midas_depth_model midas_weight near_plane far_plane fov padding_mode
    sampling_mode video_init_path extract_nth_frame video_init_seed_continuity video_init_flow_warp
    video_init_flow_blend video_init_check_consistency video_init_blend_mode turbo_mode turbo_steps
    turbo_preroll frames_scale frames_skip_steps vr_mode vr_eye_angle vr_ipd video_init_steps
    video_init_clip_guidance_scale video_init_tv_scale video_init_range_scale video_init_sat_scale
    video_init_cutn_batches video_init_skip_steps video_init_frames_scale video_init_frames_skip_steps
    force_flow_generation animation_mode""".split())
IDLE = {"range_scale": "it had no effect in Disco Diffusion",
        "randomize_class": "its networks had no classes",
        "sat_scale": "it grew evenly outside of black and white, `range` grows as the square",
        "n_batches": "paint --series N paints so many, each a run with its own seed",
        "diffusion_steps": "it follows from steps", "use_checkpoint": "memory is asked for in small bites",
        "batch_name": "a run's folder is named by its words", "text_clip_on_cpu": "texts are encoded once"}
EYES = {"ViTB32": "ViT-B/32", "ViTB16": "ViT-B/16", "ViTL14": "ViT-L/14", "ViTL14_336px": "ViT-L/14@336px",
        "ViTL14_336": "ViT-L/14@336px", "RN50": "RN50", "RN101": "RN101", "RN50x4": "RN50x4",
        "RN50x16": "RN50x16", "RN50x64": "RN50x64:openai",
        "ViTB32_laion2b_e16": "ViT-B-32:laion2b_e16", "ViTB32_laion400m_e31": "ViT-B-32:laion400m_e31",
        "ViTB32_laion400m_32": "ViT-B-32:laion400m_e32", "ViTB32_laion400m_e32": "ViT-B-32:laion400m_e32",
        "ViTB32quickgelu_laion400m_e31": "ViT-B-32-quickgelu:laion400m_e31",
        "ViTB32quickgelu_laion400m_e32": "ViT-B-32-quickgelu:laion400m_e32",
        "ViTB16_laion400m_e31": "ViT-B-16:laion400m_e31", "ViTB16_laion400m_e32": "ViT-B-16:laion400m_e32",
        "RN50_yffcc15m": "RN50:yfcc15m", "RN50_yfcc15m": "RN50:yfcc15m", "RN50_cc12m": "RN50:cc12m",
        "RN50_quickgelu_yfcc15m": "RN50-quickgelu:yfcc15m", "RN50_quickgelu_cc12m": "RN50-quickgelu:cc12m",
        "RN101_yfcc15m": "RN101:yfcc15m", "RN101_quickgelu_yfcc15m": "RN101-quickgelu:yfcc15m"}
OPENAI = {"ViT-B-32": "ViT-B/32", "ViT-B-16": "ViT-B/16", "ViT-L-14": "ViT-L/14",
          "ViT-L-14-336": "ViT-L/14@336px"} | {name: name for name in ("RN50", "RN101", "RN50x4", "RN50x16")}
