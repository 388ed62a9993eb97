"""Small models of transformers with random weights, made here: their form is real, their words are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SPECIAL = [
    "<s>", "</s>", "<pad>", "<image>", "<fake_token_around_image>", "<global-img>",
    "<end_of_utterance>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>",
    *(f"<row_{r}_col_{c}>" for r in range(1, 5) for c in range(1, 5)),
]  # fmt: skip
TEXTS = [
    "Events in the text and the picture: m1 m2 launch deal agent price [0,100,200,300] 1.5-2.0"
]


def make_tokenizer(size: int = 420) -> Any:
    """A byte-level tokenizer that knows every text, and no word."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    made.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        additional_special_tokens=SPECIAL[3:], model_max_length=4096,
    )  # fmt: skip


def template(image: str) -> str:
    """A chat template that puts `image` where a picture stands."""
    return (
        "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}"
        + image
        + "{% else %}{{ c['text'] }}{% endif %}{% endfor %}\n{% endfor %}"
    )


def make_qwen(folder: Path) -> Path:
    """A Qwen2-VL: pictures of any size, many tokens for a large one."""
    import torch
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    torch.manual_seed(0)
    tokens = make_tokenizer()
    ids = dict(zip(SPECIAL, tokens.convert_tokens_to_ids(SPECIAL), strict=True))
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(tokens), "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 4096, "rope_theta": 10000.0,
            "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2]},
            "bos_token_id": ids["<s>"], "eos_token_id": ids["</s>"], "pad_token_id": ids["<pad>"],
        },
        vision_config={
            "depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2,
            "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2,
        },
        image_token_id=ids["<|image_pad|>"], video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"], vision_end_token_id=ids["<|vision_end|>"],
    )  # fmt: skip
    model = Qwen2VLForConditionalGeneration(config)
    image = Qwen2VLImageProcessorPil(min_pixels=28 * 28 * 4, max_pixels=28 * 28 * 16)
    return _save(
        folder, model, tokens, image, "Qwen2VLProcessor",
        template("<|vision_start|><|image_pad|><|vision_end|>"),
    )  # fmt: skip


def make_llava(folder: Path) -> Path:
    """A LLaVA: each picture is one square of a fixed size."""
    import torch
    from transformers import LlavaConfig, LlavaForConditionalGeneration
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    torch.manual_seed(0)
    tokens = make_tokenizer()
    ids = dict(zip(SPECIAL, tokens.convert_tokens_to_ids(SPECIAL), strict=True))
    config = LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 56, "patch_size": 14,
            "projection_dim": 32,
        },
        text_config={
            "model_type": "llama", "vocab_size": len(tokens), "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 4096, "eos_token_id": ids["</s>"],
        },
        image_token_index=ids["<image>"],
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    image = CLIPImageProcessorPil(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
    return _save(
        folder, model, tokens, image, "LlavaProcessor", template("<image>"),
        patch_size=14, vision_feature_select_strategy="default", image_token="<image>",
        num_additional_image_tokens=1,
    )  # fmt: skip


def make_idefics(folder: Path) -> Path:
    """An Idefics3, as SmolVLM is: a picture in tiles and whole."""
    import torch
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration
    from transformers.models.idefics3.image_processing_pil_idefics3 import (
        Idefics3ImageProcessorPil,
    )

    torch.manual_seed(0)
    tokens = make_tokenizer()
    ids = dict(zip(SPECIAL, tokens.convert_tokens_to_ids(SPECIAL), strict=True))
    config = Idefics3Config(
        vision_config={
            "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
            "num_attention_heads": 2, "image_size": 56, "patch_size": 14,
        },
        text_config={
            "model_type": "llama", "vocab_size": len(tokens), "hidden_size": 32, "intermediate_size": 64,
            "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 4096, "eos_token_id": ids["</s>"],
            "pad_token_id": ids["<pad>"],
        },
        image_token_id=ids["<image>"], scale_factor=2, pad_token_id=ids["<pad>"],
    )  # fmt: skip
    model = Idefics3ForConditionalGeneration(config)
    image = Idefics3ImageProcessorPil(
        size={"longest_edge": 112}, max_image_size={"longest_edge": 56}
    )
    return _save(
        folder, model, tokens, image, "Idefics3Processor", template("<image>"), image_seq_len=4
    )


def _save(
    folder: Path, model: Any, tokens: Any, image: Any, name: str, chat: str, **more: Any
) -> Path:
    """As `save_pretrained` of a processor writes it."""
    model.generation_config.eos_token_id = tokens.eos_token_id
    model.save_pretrained(folder, safe_serialization=True)
    tokens.save_pretrained(folder)
    image.save_pretrained(folder)
    (folder / "processor_config.json").write_text(json.dumps({"processor_class": name, **more}))
    (folder / "chat_template.jinja").write_text(chat)
    return folder


def make_whisper(folder: Path) -> Path:
    """A Whisper that hears in four languages, with the times of its words."""
    import torch
    from tokenizers import AddedToken
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizerFast,
    )

    torch.manual_seed(3)
    base = make_tokenizer()
    vocabulary = {
        token: number
        for number, token in enumerate(t for t in sorted(base.get_vocab()) if t not in SPECIAL)
    }
    tokens: Any = WhisperTokenizerFast(vocab=vocabulary, merges=[])
    codes = ["en", "zh", "es", "ru"]
    names = [
        "<|startoftranscript|>", *(f"<|{code}|>" for code in codes), "<|translate|>", "<|transcribe|>",
        "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
    ]  # fmt: skip
    tokens.add_special_tokens(
        {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
         "unk_token": "<|endoftext|>", "additional_special_tokens": names}
    )  # fmt: skip
    tokens.add_tokens([AddedToken(f"<|{n * 0.02:.2f}|>", special=False) for n in range(1501)])
    ids = {name: tokens.convert_tokens_to_ids(name) for name in ["<|endoftext|>", *names]}
    config = WhisperConfig(
        vocab_size=len(tokens), num_mel_bins=80, d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32,
        max_target_positions=64, decoder_start_token_id=ids["<|startoftranscript|>"],
        pad_token_id=ids["<|endoftext|>"], bos_token_id=ids["<|endoftext|>"],
        eos_token_id=ids["<|endoftext|>"], suppress_tokens=None, begin_suppress_tokens=None,
        median_filter_width=3,
    )  # fmt: skip
    model: Any = WhisperForConditionalGeneration(config)
    settings = {
        "is_multilingual": True, "lang_to_id": {f"<|{code}|>": ids[f"<|{code}|>"] for code in codes},
        "task_to_id": {"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        "no_timestamps_token_id": ids["<|notimestamps|>"], "alignment_heads": [[0, 0], [0, 1]],
        "max_initial_timestamp_index": 50, "prev_sot_token_id": ids["<|startofprev|>"],
        "max_length": 40, "decoder_start_token_id": ids["<|startoftranscript|>"],
        "eos_token_id": ids["<|endoftext|>"], "pad_token_id": ids["<|endoftext|>"],
    }  # fmt: skip
    model.save_pretrained(folder, safe_serialization=True)
    tokens.save_pretrained(folder)
    WhisperFeatureExtractor().save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(settings))
    return folder
