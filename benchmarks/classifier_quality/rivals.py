"""The rivals of the product: cheap ways to classify that anyone would try first.

In: a `Fold` of a `Corpus` and the rival's recipe. Out: scores of each head, shape (test rows, labels). They learn from
the same rows as the product and from every label. Results are kept by recipe, so what a function does is changed
together with its recipe.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.classifier_quality.corpus import Corpus, Floats, Fold, Recipe, Scores, recipe_hash
from models.classifier.labels import HEADS, Ints


def tfidf_svm(fold: Fold, recipe: Recipe) -> Scores:
    """TF-IDF of words and character n-grams, a linear SVM for each head; `place`: the municipality before the text."""
    from training.evaluate.tfidf_svm import LexicalClassifier

    train, test = fold.placed_texts if recipe["place"] else fold.texts
    targets = {head: fold.corpus.targets[head][fold.train] for head in HEADS}
    return LexicalClassifier(fold.corpus.labels, recipe["c"]).fit(train, targets).scores(test)


def tfidf_frozen_svm(fold: Fold, recipe: Recipe) -> Scores:
    """A linear SVM on TF-IDF and the frozen encoder's vectors, side by side."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.svm import LinearSVC

    from training.evaluate.tfidf_svm import lexical_features

    texts, vectors = fold.texts, _standardised(fold, frozen_vectors(fold.corpus, recipe))
    lexical = lexical_features().fit(texts[0])
    train, test = (
        hstack([lexical.transform(part), csr_matrix(dense)]).tocsr() for part, dense in zip(texts, vectors, strict=True)
    )

    def fit(known: Ints, y: Ints) -> tuple[Ints, Floats]:
        machine = LinearSVC(C=recipe["c"], random_state=0).fit(train[known], y)
        values = machine.decision_function(test)
        return machine.classes_, np.stack([-values, values], axis=1) if values.ndim == 1 else values

    return _each_head(fold, fit)


def frozen_vectors(corpus: Corpus, recipe: Recipe) -> Floats:
    """Mean-pooled last layer of the pretrained encoder for each complaint, shape (rows, width); computed once."""
    keys = {key: recipe[key] for key in ("encoder", "prefix", "max_tokens")}
    path = corpus.work / f"vectors-{recipe_hash(keys)}.npy"
    if not path.exists():
        texts = [recipe["prefix"] + text for text in corpus.frame["text"]]
        vectors = _encoded(texts, recipe["encoder"], recipe["max_tokens"])
        unfinished = path.with_suffix(".unfinished.npy")
        np.save(unfinished, vectors)
        unfinished.rename(path)
    return np.asarray(np.load(path))


def _encoded(texts: list[str], encoder: str, max_tokens: int, batch: int = 32) -> Floats:
    import torch
    import transformers

    from data.settings import settings
    from training.encoder.pretrained import load_pretrained

    transformers.utils.logging.disable_progress_bar()
    network, tokenizer = load_pretrained(encoder, settings().home / "encoders")
    network.eval()
    order = np.argsort([len(text) for text in texts])
    out = np.zeros((len(texts), network.config.hidden_size), dtype=np.float32)
    for start in range(0, len(texts), batch):
        rows = order[start : start + batch]
        tokens = tokenizer(
            [texts[row] for row in rows],
            truncation=True,
            max_length=max_tokens,
            padding=True,
            return_tensors="pt",
            return_token_type_ids=False,
        )
        with torch.inference_mode():
            states = network(**tokens).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1)
        out[rows] = ((states * mask).sum(1) / mask.sum(1)).numpy()
    return out


def _standardised(fold: Fold, vectors: Floats) -> tuple[Floats, Floats]:
    """Training and test vectors: mean 0 and variance 1 over the training rows, divided by √width."""
    mean, deviation = vectors[fold.train].mean(axis=0), vectors[fold.train].std(axis=0) + 1e-6
    scaled = (vectors - mean) / deviation / np.sqrt(vectors.shape[1])
    return scaled[fold.train], scaled[fold.test]


def _each_head(fold: Fold, fit: Callable[[Ints, Ints], tuple[Ints, Floats]]) -> Scores:
    """Scores over all labels from `fit(rows, labels)`, which gives the labels it saw and their scores.

    Labels without a training row get one less than the lowest score.
    """
    out: Scores = {}
    for head in HEADS:
        targets = fold.corpus.targets[head][fold.train]
        labelled = np.flatnonzero(targets >= 0)
        out[head] = np.zeros((len(fold.test), len(fold.corpus.labels.names[head])))
        if len(np.unique(targets[labelled])) > 1:
            seen, values = fit(labelled, targets[labelled])
            out[head] += values.min() - 1
            out[head][:, seen] = values
    return out
