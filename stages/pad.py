"""Stage `pad`: reviews of any length become rows of one length, split into train, validation and test."""

from stages.params.recipe import changed, load_recipe, setting
from stages.reviews.document_terms import document_term_matrix, max_shared_terms, terms_by_frequency
from stages.reviews.encoding import encode, load_raw, pad_rows
from stages.reviews.splitting import RARE, split_train
from stages.runtime.command_line import stage_main
from stages.runtime.files import (
    FILM_GROUPS,
    PADDED,
    SETTINGS,
    json_text,
    load_array,
    save_array,
    write_atomically,
    write_folder,
)


def pad(recipe: str, reviews: str = "", set: list[str] | None = None) -> None:  # noqa: A002
    """Encode, truncate and pad the reviews as a recipe says, and set some train reviews apart."""
    reviews = reviews or recipe
    settings = changed(recipe, load_recipe(recipe), map(setting, set or ())).pad
    labels = {split: load_raw(split, "labels") for split in ("train", "test")}
    kept, validating = split_train(recipe, settings, labels["train"], load_array(FILM_GROUPS))

    flat = {split: (load_raw(split, "tokens"), load_raw(split, "offsets")) for split in ("train", "test")}
    rows = {
        split: pad_rows(
            *encode(*each, settings.num_words), settings.maxlen, settings.padding, settings.truncating
        )
        for split, each in flat.items()
    }
    num_terms = 1 + max(int(ranks.max(initial=0)) for ranks, _ in flat.values())
    terms = {split: document_term_matrix(*each, num_terms) for split, each in flat.items()}
    rare = terms_by_frequency(terms["train"], RARE)
    train, test = (terms[split][:, rare] for split in ("train", "test"))

    with write_folder(PADDED / reviews) as folder:
        for split, source, which in (
            ("train", "train", kept),
            ("validation", "train", validating),
            ("test", "test", slice(None)),
        ):
            save_array(folder / f"{split}_tokens.npy", rows[source][which])
            save_array(folder / f"{split}_labels.npy", labels[source][which])
        # How near each review is to what is trained on, for `score`.
        save_array(folder / "validation_shared.npy", max_shared_terms(train[validating], train[kept]))
        save_array(folder / "test_shared.npy", max_shared_terms(test, train[kept]))
        write_atomically(folder / SETTINGS, json_text(settings.model_dump(mode="json")))
    print(
        f"pad {reviews}: {len(kept):,} train, {len(validating):,} validation and {len(rows['test']):,} "
        f"test reviews of {settings.maxlen} tokens in {PADDED / reviews}"
    )


if __name__ == "__main__":
    stage_main(pad)
