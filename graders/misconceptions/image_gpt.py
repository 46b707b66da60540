"""Known mistakes in image GPT: each a patch on `reference/image_gpt.py` that makes it."""

from graders.engine.misconception import Misconception

CHECK_IMAGES = "    check_images(images, labels)\n"
CLASS_TOKEN = "    first = N_LEVELS + labels.unsqueeze(1)\n    # 3. The pixels, row after row: batch n_pixels\n"
PIXELS = "pixels = images.flatten(1)"
TEXT = "return torch.cat([first, pixels], dim=1)"
CHECK_TEXTS = "    check_tokens(tokens)\n    # 2. The pixels, without the class: batch n_pixels\n"
WITHOUT_CLASS = "pixels = tokens[:, 1:]"
SQUARE = "return pixels.unflatten(1, (side, side))"
CHECK_PREDICTIONS = "    check_predictions(logits, tokens)\n"
LOG_PROBS = "log_probs = logits.log_softmax(dim=-1)"
OF_PIXELS = "of_pixels = log_probs.gather(-1, tokens[:, 1:].unsqueeze(-1))"
BITS = "return (-of_pixels.mean() / math.log(2)).item()"
CHECK_LABELS = "    check_labels(labels)\n    # 2. The first token of each image"
PROMPTS = "prompts = N_LEVELS + labels.unsqueeze(1)"
DRAWN = "tokens = generate(GreyLevels(model), prompts, model.cfg.n_ctx, options, generator)"
CHECK_ROWS = "    check_rows(top_halves, labels, side)\n"
BEGUN = "prompts = torch.cat([first, top_halves.flatten(1)], dim=1)"
N_MISSING = "n_missing = model.cfg.n_ctx - top_halves[0].numel()"
COMPLETED = "tokens = generate(GreyLevels(model), prompts, n_missing, options, generator)"
IMAGES = "    # 4. Texts into images: batch side side\n    return tokens_to_images(tokens)"
COMPLETE = f"{COMPLETED}\n{IMAGES}"

MISCONCEPTIONS = (
    # images_to_tokens
    Misconception(
        "class_token_behind",
        "images_to_tokens",
        ((TEXT, "return torch.cat([pixels, first], dim=1)"),),
        "The token of the class comes last: while the pixels are drawn, nobody has said yet what they are to be.",
        "When does the model have to know which digit it is to draw?",
    ),
    Misconception(
        "class_not_moved",
        "images_to_tokens",
        ((CLASS_TOKEN, CLASS_TOKEN.replace("N_LEVELS + ", "")),),
        "The class is used as a token as it is, so that class 3 and grey level 3 are one word.",
        "How many different tokens are there, if levels and classes are all to be told apart?",
    ),
    Misconception(
        "class_off_by_one",
        "images_to_tokens",
        ((CLASS_TOKEN, CLASS_TOKEN.replace("N_LEVELS + ", "N_LEVELS - 1 + ")),),
        "The classes begin at the last grey level: class 0 and level 16 are one token.",
        "Levels run from 0 to 16. Which is the first token that is free?",
    ),
    Misconception(
        "class_left_out",
        "images_to_tokens",
        ((TEXT, "return pixels"),),
        "The token of the class is missing: nothing says what is to be seen.",
        "With which token does the text of an image begin?",
    ),
    Misconception(
        "pixels_column_by_column",
        "images_to_tokens",
        ((PIXELS, "pixels = images.transpose(1, 2).flatten(1)"),),
        "The pixels come column by column.",
        "Which pixel comes after the first: the one beside it, or the one below?",
    ),
    Misconception(
        "pixels_from_the_last",
        "images_to_tokens",
        ((PIXELS, "pixels = images.flatten(1).flip(1)"),),
        "The pixels come in the reverse order, from the last to the first.",
        "Where does the eye begin to read?",
    ),
    Misconception(
        "every_second_row_backwards",
        "images_to_tokens",
        (
            (
                PIXELS,
                "pixels = torch.cat([row.flip(1) if i % 2 else row for i, row in enumerate(images.unbind(1))], dim=1)",
            ),
        ),
        "Every second row is written from right to left, as a snake goes.",
        "After the last pixel of a row, which one comes next?",
    ),
    Misconception(
        "levels_before_and_classes_first",
        "images_to_tokens",
        (
            (CLASS_TOKEN, CLASS_TOKEN.replace("N_LEVELS + ", "")),
            (PIXELS, "pixels = N_CLASSES + images.flatten(1)"),
        ),
        "Classes are the first tokens and levels come after them; here levels keep their own numbers.",
        "Which of the two keeps its numbers, and which is moved?",
    ),
    Misconception(
        "other_levels_not_refused",
        "images_to_tokens",
        ((CHECK_IMAGES, ""),),
        "What is no image is not refused: a level of 17 becomes class 0, and floats become other floats.",
        "MNIST has levels up to 255. What would they be taken for?",
    ),
    # tokens_to_images
    Misconception(
        "class_read_as_a_pixel",
        "tokens_to_images",
        ((WITHOUT_CLASS, "pixels = tokens[:, :-1]"),),
        "The class is read as the first pixel, and the last pixel is lost.",
        "Which of the tokens is no pixel?",
    ),
    Misconception(
        "image_transposed",
        "tokens_to_images",
        ((SQUARE, "return pixels.unflatten(1, (side, side)).transpose(1, 2)"),),
        "The image is transposed: the pixels fill column after column.",
        "Do the first tokens fill the top row or the left column?",
    ),
    Misconception(
        "pixels_moved_round",
        "tokens_to_images",
        ((WITHOUT_CLASS, "pixels = tokens[:, 1:].roll(1, dims=1)"),),
        "The pixels are moved round by one: the last one comes first.",
        "Where does the first pixel stand in the text, and where in the image?",
    ),
    Misconception(
        "image_upside_down",
        "tokens_to_images",
        ((SQUARE, "return pixels.unflatten(1, (side, side)).flip(1)"),),
        "The image is upside down: its first row is at the bottom.",
        "Is row 0 of an image at the top or at the bottom?",
    ),
    Misconception(
        "broken_texts_not_refused",
        "tokens_to_images",
        ((CHECK_TEXTS, CHECK_TEXTS.replace("    check_tokens(tokens)\n", "")),),
        "Texts that are no image are not refused: a class among the pixels becomes a level that there is not.",
        "A model has written class 4 where a pixel should be. What does your image show there?",
    ),
    # bits_per_pixel
    Misconception(
        "in_nats",
        "bits_per_pixel",
        ((BITS, "return -of_pixels.mean().item()"),),
        "The number is in nats: the logarithm is the natural one.",
        "A fair coin: what is the surprise at heads, in bits and in nats?",
    ),
    Misconception(
        "perplexity",
        "bits_per_pixel",
        ((BITS, "return 2 ** (-of_pixels.mean() / math.log(2)).item()"),),
        "This is the perplexity, 2 to the power of the bits: between how many levels the model hesitates.",
        "A pixel had a share of one in 8. Is its surprise 8, or 3?",
    ),
    Misconception(
        "times_the_logarithm",
        "bits_per_pixel",
        ((BITS, "return (-of_pixels.mean() * math.log(2)).item()"),),
        "The nats are multiplied by ln 2; to get bits they are divided by it.",
        "One bit is 0.69 nats. Are there more bits or more nats in the same surprise?",
    ),
    Misconception(
        "logarithm_to_base_10",
        "bits_per_pixel",
        ((BITS, "return (-of_pixels.mean() / math.log(10)).item()"),),
        "The logarithm is to base 10.",
        "How many equally likely levels cost one bit?",
    ),
    Misconception(
        "own_token_scored",
        "bits_per_pixel",
        ((OF_PIXELS, "of_pixels = log_probs.gather(-1, tokens[:, :-1].unsqueeze(-1))"),),
        "Each row of logits is scored on the token that it has just read, not on the pixel that comes next.",
        "The first row of logits was made from the class alone. Which token is it about?",
    ),
    Misconception(
        "pixels_shifted_twice",
        "bits_per_pixel",
        ((OF_PIXELS, "of_pixels = log_probs[:, :-1].gather(-1, tokens[:, 2:].unsqueeze(-1))"),),
        "The logits were shifted again, although there is one row of them for each pixel already.",
        "How many rows of logits and how many pixels are there, and which of them belong together?",
    ),
    Misconception(
        "bits_of_a_whole_image",
        "bits_per_pixel",
        ((BITS, "return (-of_pixels.sum() / len(tokens) / math.log(2)).item()"),),
        "The surprise is added up over each image; asked for is that of one pixel.",
        "Should an image of 28 x 28 look worse than one of 8 x 8?",
    ),
    Misconception(
        "class_counted_as_a_pixel",
        "bits_per_pixel",
        ((BITS, "return (-of_pixels.sum() / tokens.numel() / math.log(2)).item()"),),
        "The sum is divided by the number of tokens, the class included, which is not predicted.",
        "How many numbers were added up for an image of four pixels?",
    ),
    Misconception(
        "softmax_of_levels_alone",
        "bits_per_pixel",
        ((LOG_PROBS, "log_probs = logits[..., :N_LEVELS].log_softmax(dim=-1)"),),
        "What the model gives to classes is left out of the softmax, so that this waste costs nothing.",
        "A model gives half of its certainty to classes. What is then left for the seventeen levels?",
    ),
    Misconception(
        "mean_of_shares",
        "bits_per_pixel",
        ((BITS, "return -math.log2(of_pixels.exp().mean().item())"),),
        "The logarithm is taken of the mean share; asked for is the mean of the logarithms.",
        "One pixel had share 1, one 0.01: what is the mean surprise, and what the surprise at the mean share?",
    ),
    Misconception(
        "unscorable_not_refused",
        "bits_per_pixel",
        ((CHECK_PREDICTIONS, ""),),
        "What cannot be scored is not refused: logits for the class too are scored on pixels that they are not about.",
        "Your model read all 65 tokens. What are its last logits about?",
    ),
    # sample_images
    Misconception(
        "classes_drawn",
        "sample_images",
        ((DRAWN, "tokens = generate(model, prompts, model.cfg.n_ctx, options, generator)"),),
        "Classes may be drawn as pixels: GreyLevels is not used.",
        "What keeps a model from writing token 20 in the middle of an image?",
    ),
    Misconception(
        "label_used_as_a_level",
        "sample_images",
        ((PROMPTS, "prompts = labels.unsqueeze(1)"),),
        "The prompt is the class itself, which the model reads as a grey level.",
        "Which token says: draw a 3?",
    ),
    Misconception(
        "one_image_for_each_class",
        "sample_images",
        (
            (
                PROMPTS,
                "kinds, places = labels.unique(return_inverse=True)\n    prompts = N_LEVELS + kinds.unsqueeze(1)",
            ),
            (DRAWN, DRAWN + "[places]"),
        ),
        "There is one image for each class, and it is handed out as often as the class is asked for.",
        "Somebody asks for four threes. How many times do you draw?",
    ),
    Misconception(
        "always_the_likeliest",
        "sample_images",
        (
            (
                DRAWN,
                "tokens = generate(GreyLevels(model), prompts, model.cfg.n_ctx, SamplingOptions(temperature=0.0), "
                "generator)",
            ),
        ),
        "The options are not passed on: every pixel is the likeliest, so that all images of a class are one.",
        "Which temperature does your call of `generate` have?",
    ),
    Misconception(
        "options_forgotten",
        "sample_images",
        ((DRAWN, DRAWN.replace(", options,", ", SamplingOptions(),")),),
        "The options are not passed on: temperature, top-k and top-p change nothing.",
        "At temperature 0 one image is possible. How many do you get?",
    ),
    Misconception(
        "generator_forgotten",
        "sample_images",
        ((DRAWN, DRAWN.replace(", generator)", ", None)")),),
        "Chance does not come from the generator: the same seed gives other images.",
        "Who should be able to draw your images again, and what do they need for it?",
    ),
    Misconception(
        "clamped_into_levels",
        "sample_images",
        (
            (DRAWN, "tokens = generate(model, prompts, model.cfg.n_ctx, options, generator)"),
            (
                IMAGES + "\n\n\ndef complete_images",
                "    tokens[:, 1:] = tokens[:, 1:].clamp(max=N_LEVELS - 1)\n"
                "    return tokens_to_images(tokens)\n\n\ndef complete_images",
            ),
        ),
        "Classes may be drawn as pixels, and are then made white: the model goes on from tokens that are no pixels.",
        "What has the model read in the places that you repaired afterwards?",
    ),
    Misconception(
        "other_labels_not_refused",
        "sample_images",
        ((CHECK_LABELS, CHECK_LABELS.replace("    check_labels(labels)\n", "")),),
        "Labels that are no class are not refused: class -1 is the grey level 16.",
        "Which token does label -1 become?",
    ),
    # complete_images
    Misconception(
        "class_not_told",
        "complete_images",
        ((BEGUN, "prompts = torch.cat([torch.full_like(first, N_LEVELS), top_halves.flatten(1)], dim=1)"),),
        "All images are gone on with as class 0: the labels are not used.",
        "Half of an image is given. Which digit is the model told to draw?",
    ),
    Misconception(
        "class_behind_the_given_pixels",
        "complete_images",
        (
            (BEGUN, "prompts = torch.cat([top_halves.flatten(1), first], dim=1)"),
            (
                COMPLETE,
                COMPLETE.replace(
                    "(tokens)", "(torch.cat([first, prompts[:, :-1], tokens[:, prompts.shape[1] :]], dim=1))"
                ),
            ),
        ),
        "The class stands behind the pixels that are given; in every image the model has learnt from, it came first.",
        "In what order did the model read class and pixels while it was trained?",
    ),
    Misconception(
        "given_pixels_transposed",
        "complete_images",
        (
            (BEGUN, BEGUN.replace("top_halves.flatten(1)", "top_halves.transpose(1, 2).flatten(1)")),
            (
                COMPLETE,
                COMPLETE.replace(
                    "return tokens_to_images(tokens)",
                    "images = tokens_to_images(tokens)\n"
                    "    images[:, : top_halves.shape[1]] = top_halves\n    return images",
                ),
            ),
        ),
        "The given rows are read column by column; the images show them as they were, and go on from something else.",
        "In which order does the model have to read the pixels that are given?",
    ),
    Misconception(
        "top_forgotten_by_the_model",
        "complete_images",
        (
            (
                COMPLETE,
                "images = sample_images(model, labels, options, generator)\n"
                "    images[:, : top_halves.shape[1]] = top_halves\n    return images",
            ),
        ),
        "A whole image was drawn, and the given rows were put over it: what is below knows nothing of them.",
        "What did the model read before it drew the first pixel below?",
    ),
    Misconception(
        "top_drawn_anew",
        "complete_images",
        ((COMPLETE, "return sample_images(model, labels, options, generator)"),),
        "The whole image is drawn anew: the rows that were given are gone.",
        "Which part of the image was not yours to draw?",
    ),
    Misconception(
        "classes_drawn_below",
        "complete_images",
        ((COMPLETED, COMPLETED.replace("GreyLevels(model)", "model")),),
        "Classes may be drawn as pixels: GreyLevels is not used.",
        "What keeps a model from writing token 20 in the middle of an image?",
    ),
    Misconception(
        "always_the_likeliest_below",
        "complete_images",
        ((COMPLETED, COMPLETED.replace(", options,", ", SamplingOptions(temperature=0.0),")),),
        "The options are not passed on: every missing pixel is the likeliest, so that all completions are one.",
        "Which temperature does your call of `generate` have?",
    ),
    Misconception(
        "only_the_temperature_passed_on",
        "complete_images",
        ((COMPLETED, COMPLETED.replace(", options,", ", SamplingOptions(temperature=options.temperature),")),),
        "Of the options only the temperature is passed on: top-k, top-p and the penalty change nothing.",
        "With top-k 1 one completion is possible. How many do you get?",
    ),
    Misconception(
        "generator_forgotten_below",
        "complete_images",
        ((COMPLETED, COMPLETED.replace(", generator)", ", None)")),),
        "Chance does not come from the generator: the same seed gives other images.",
        "Who should be able to draw your images again, and what do they need for it?",
    ),
    Misconception(
        "half_assumed",
        "complete_images",
        ((N_MISSING, "n_missing = model.cfg.n_ctx // 2"),),
        "Half of the image is drawn, whatever was given.",
        "How many pixels are missing when one row of three is given?",
    ),
    Misconception(
        "other_rows_not_refused",
        "complete_images",
        ((CHECK_ROWS, ""),),
        "Rows that do not fit are not refused: too wide by one, they are wrapped into the next row.",
        "Rows of nine pixels in images of eight: where does the ninth go?",
    ),
)

# Mutations of the reference that nothing can tell from it, with the reason.
EQUIVALENT: dict[str, str] = {
    f"complete_images: {N_MISSING}  ->  {N_MISSING.replace('[0]', '[-1]')}": "all images have as many rows",
}
