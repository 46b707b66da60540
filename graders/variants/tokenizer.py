"""Right answers to byte-pair encoding, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "counts_by_get",
        """
def count_pairs(ids):
    counts = {}
    for i in range(len(ids) - 1):
        pair = (ids[i], ids[i + 1])
        counts[pair] = counts.get(pair, 0) + 1
    return counts
""",
    ),
    Variant(
        "counter_returned",
        """
def count_pairs(ids):
    return Counter(zip(ids, ids[1:]))
""",
    ),
    Variant(
        "default_of_zero",
        """
def count_pairs(ids):
    counts = defaultdict(int)
    for pair in zip(ids[:-1], ids[1:], strict=True):
        counts[pair] += 1
    return counts
""",
    ),
    Variant(
        "ids_taken_from_a_copy",
        """
def merge(ids, pair, new_id):
    left, out = list(ids)[::-1], []
    while left:
        first = left.pop()
        if left and first == pair[0] and left[-1] == pair[1]:
            left.pop()
            first = new_id
        out.append(first)
    return out
""",
    ),
    Variant(
        "parts_of_the_list_joined",
        """
def merge(ids, pair, new_id):
    i = 0
    while i + 1 < len(ids):
        if ids[i] == pair[0] and ids[i + 1] == pair[1]:
            ids = ids[:i] + [new_id] + ids[i + 2 :]
        i += 1
    return ids
""",
    ),
    Variant(
        "counted_anew_for_every_merge",
        """
def train_bpe(text, vocab_size):
    if vocab_size < 256:
        raise ValueError("vocab_size must be at least 256")
    words = list(words_as_ids(text))
    merges = []
    for new_id in range(256, vocab_size):
        counts = Counter()
        for word in words:
            counts.update(count_pairs(word))
        if not counts:
            return merges
        best = max(counts, key=lambda pair: (counts[pair], -pair[0], -pair[1]))
        words = [merge(word, best, new_id) for word in words]
        merges.append(best)
    return merges
""",
    ),
    Variant(
        "one_list_with_marks_between_words",
        """
def train_bpe(text, vocab_size):
    if not vocab_size >= 256:
        raise ValueError(f"{vocab_size} is too small")
    ids = []
    for word in words_as_ids(text):
        ids += [*word, None]
    merges = []
    while len(merges) + 256 < vocab_size:
        counts = {pair: n for pair, n in count_pairs(ids).items() if None not in pair}
        if not counts:
            break
        most = max(counts.values())
        merges.append(min(pair for pair, n in counts.items() if n == most))
        ids = merge(ids, merges[-1], 255 + len(merges))
    return merges
""",
    ),
    Variant(
        "lowest_rank_again_and_again",
        """
class Tokenizer:
    def __init__(self, merges):
        self.ids = {tuple(pair): 256 + i for i, pair in enumerate(merges)}
        self.vocab = {i: bytes([byte]) for i, byte in enumerate(BYTES)}
        for pair, i in self.ids.items():
            self.vocab[i] = self.vocab[pair[0]] + self.vocab[pair[1]]

    def encode(self, text):
        ids = []
        for word in words_as_ids(text):
            while len(word) >= 2:
                pair = min(count_pairs(word), key=lambda pair: self.ids.get(pair, float("inf")))
                if pair not in self.ids:
                    break
                word = merge(word, pair, self.ids[pair])
            ids.extend(word)
        return ids

    def decode(self, ids):
        try:
            return b"".join([self.vocab[i] for i in ids]).decode("utf-8", "replace")
        except KeyError as error:
            raise ValueError(f"unknown id {error}") from None
""",
    ),
    Variant(
        "every_merge_in_turn",
        """
class Tokenizer:
    def __init__(self, merges):
        self.merges = [(a, b) for a, b in merges]

    def encode(self, text):
        ids = []
        for word in words_as_ids(text):
            for i, pair in enumerate(self.merges):
                if len(word) > 1:
                    word = merge(word, pair, 256 + i)
            ids += word
        return ids

    def decode(self, ids):
        def spelled(i):
            if not 0 <= i < 256 + len(self.merges):
                raise ValueError(f"{i} is not in the vocabulary")
            return [i] if i < 256 else [byte for part in self.merges[i - 256] for byte in spelled(part)]

        return bytes([BYTES[byte] for i in ids for byte in spelled(i)]).decode("utf-8", errors="replace")
""",
    ),
    Variant(
        "one_place_at_a_time",
        """
PATTERN = regex.compile(
    r"'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
)


class Tokenizer:
    def __init__(self, merges):
        self.ranks = dict(zip(map(tuple, merges), range(256, 256 + len(merges))))
        self.pieces = [BYTES[i : i + 1] for i in range(256)]
        for first, second in self.ranks:
            self.pieces.append(self.pieces[first] + self.pieces[second])

    def encode(self, text):
        found = []
        for match in PATTERN.finditer(text):
            try:
                word = [ID_OF_BYTE[byte] for byte in match.group().encode("utf-8")]
            except UnicodeEncodeError as error:
                raise ValueError(f"the text is no Unicode: {error}") from error
            while True:
                places = [(self.ranks[pair], i) for i, pair in enumerate(zip(word, word[1:])) if pair in self.ranks]
                if not places:
                    break
                new_id, i = min(places)
                word[i : i + 2] = [new_id]
            found += word
        return found

    def decode(self, ids):
        data = bytearray()
        for i in ids:
            if i < 0 or i >= len(self.pieces):
                raise ValueError(f"id {i} does not exist")
            data += self.pieces[i]
        return str(bytes(data), "utf-8", "replace")
""",
    ),
)
