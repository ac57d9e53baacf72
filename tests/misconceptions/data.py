"""Wrong and unusual answers to the exercise `data`."""

import numpy as np
from torch import nn

from course_lib.assignments.answers import right, wrong

accepted = {
    ("class_weights", "float32"): "The text fixes no precision for the weights.",
}

# A shuffle buffer ---------------------------------------------------------------------------------


@wrong(loses=["test-shuffle_buffer", "test-shuffle_buffer-hidden"], says="in the buffer")
def loses_the_rest():
    """The stream ends, and so does the loop."""

    def shuffle_buffer(stream, size, rng):
        buffer = []
        for item in stream:
            if len(buffer) < size:
                buffer.append(item)
                continue
            place = int(rng.integers(size))
            leaves, buffer[place] = buffer[place], item
            yield leaves


@right
def pops_and_appends():
    """The order of places does not matter."""

    def shuffle_buffer(stream, size, rng):
        stream = iter(stream)
        buffer = []
        for item in stream:
            if len(buffer) == size:
                yield buffer.pop(int(rng.integers(size)))
            buffer.append(item)
        while buffer:
            yield buffer.pop(int(rng.integers(len(buffer))))


@wrong(loses=["test-shuffle_buffer-hidden"], says="not as it lies there")
def rest_in_order():
    """What is left is left: it comes out as it lies in the buffer."""

    def shuffle_buffer(stream, size, rng):
        buffer = []
        for item in stream:
            if len(buffer) < size:
                buffer.append(item)
                continue
            place = int(rng.integers(size))
            leaves, buffer[place] = buffer[place], item
            yield leaves
        yield from buffer


@wrong(loses=["test-shuffle_buffer-hidden"], says="mixes within a piece only")
def shuffles_within_pieces():
    """Fill, shuffle, empty, fill again: a shuffle inside each shard."""

    def shuffle_buffer(stream, size, rng):
        buffer = []
        for item in stream:
            buffer.append(item)
            if len(buffer) == size:
                for place in rng.permutation(size):
                    yield buffer[place]
                buffer = []
        for place in rng.permutation(len(buffer)):
            yield buffer[place]


@wrong(loses=["test-shuffle_buffer-hidden"], says="never make a list of it")
def takes_the_whole_stream():
    """A list makes everything easy, until the stream is longer than memory."""

    def shuffle_buffer(stream, size, rng):
        items = list(stream)
        buffer = []
        for item in items:
            if len(buffer) < size:
                buffer.append(item)
                continue
            place = int(rng.integers(size))
            leaves, buffer[place] = buffer[place], item
            yield leaves
        for place in rng.permutation(len(buffer)):
            yield buffer[place]


@wrong(
    loses=["test-shuffle_buffer", "test-shuffle_buffer-hidden"],
    says="With one place",
)
def shuffles_everything():
    """A perfect shuffle of all items, whatever the buffer holds."""

    def shuffle_buffer(stream, size, rng):
        items = list(stream)
        for place in rng.permutation(len(items)):
            yield items[place]


@wrong(loses=["test-shuffle_buffer-hidden"], says="Draw one of the places of the full buffer")
def never_the_last_place():
    """integers(size - 1) leaves out the last place."""

    def shuffle_buffer(stream, size, rng):
        buffer = []
        for item in stream:
            if len(buffer) < size:
                buffer.append(item)
                continue
            place = int(rng.integers(max(size - 1, 1)))
            leaves, buffer[place] = buffer[place], item
            yield leaves
        for place in rng.permutation(len(buffer)):
            yield buffer[place]


@wrong(
    loses=["test-shuffle_buffer", "test-shuffle_buffer-hidden"],
    says="Each item leaves once",
)
def draws_with_replacement():
    """Samples from the buffer without taking out what was drawn."""

    def shuffle_buffer(stream, size, rng):
        buffer = []
        for item in stream:
            if len(buffer) < size:
                buffer.append(item)
                continue
            yield buffer[int(rng.integers(size))]
            buffer[int(rng.integers(size))] = item
        for place in rng.permutation(len(buffer)):
            yield buffer[place]


@wrong(
    loses=["test-shuffle_buffer", "test-shuffle_buffer-hidden"],
    says="With one place",
)
def one_place_too_many():
    """Puts the new item in first, and draws from size + 1."""

    def shuffle_buffer(stream, size, rng):
        buffer = []
        for item in stream:
            buffer.append(item)
            if len(buffer) > size:
                yield buffer.pop(int(rng.integers(len(buffer))))
        while buffer:
            yield buffer.pop(int(rng.integers(len(buffer))))


@wrong(loses=["test-shuffle_buffer-hidden"], says="a state of their own")
def random_of_its_own():
    """Takes chance from the module random."""

    def shuffle_buffer(stream, size, rng):
        import random

        buffer = []
        for item in stream:
            if len(buffer) < size:
                buffer.append(item)
                continue
            place = random.randrange(size)
            leaves, buffer[place] = buffer[place], item
            yield leaves
        random.shuffle(buffer)
        yield from buffer


@wrong(loses=["test-shuffle_buffer-hidden"], says="Keep them in a list")
def none_is_an_end():
    """next(stream, None) takes an item that is None for the end."""

    def shuffle_buffer(stream, size, rng):
        stream = iter(stream)
        buffer = []
        while (item := next(stream, None)) is not None:
            if len(buffer) < size:
                buffer.append(item)
                continue
            place = int(rng.integers(size))
            leaves, buffer[place] = buffer[place], item
            yield leaves
        for place in rng.permutation(len(buffer)):
            yield buffer[place]


@right
def fills_with_islice():
    """itertools, and a shuffle in place for the rest."""

    def shuffle_buffer(source, places, generator):
        from itertools import islice

        source = iter(source)
        held = list(islice(source, places))
        for new in source:
            k = int(generator.random() * len(held))
            old, held[k] = held[k], new
            yield old
        generator.shuffle(held := [[item] for item in held])
        yield from (item for (item,) in held)


# Who reads what -----------------------------------------------------------------------------------


@wrong(loses=["test-shards_of-hidden"], says="Count the workers of all machines")
def forgets_the_machines():
    """Divides among the workers of one machine, as most examples do."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        order = np.random.default_rng(epoch).permutation(shards)
        return order[worker::workers].tolist()


@wrong(loses=["test-shards_of-hidden"], says="Count the workers of all machines")
def adds_machine_and_worker():
    """machine + worker is the same for several of them."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        order = np.random.default_rng(epoch).permutation(shards)
        return order[machine + worker :: machines * workers].tolist()


@wrong(loses=["test-shards_of", "test-shards_of-hidden"], says="deal out the same order")
def everybody_reads_everything():
    """Each worker shuffles all shards for itself, and reads them."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        rng = np.random.default_rng([machine, worker, epoch])
        return rng.permutation(shards).tolist()


@wrong(loses=["test-shards_of", "test-shards_of-hidden"], says="deal out the same order")
def an_order_for_each_worker():
    """Divides, but each worker deals out another order."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        me = machine * workers + worker
        order = np.random.default_rng([me, epoch]).permutation(shards)
        return order[me :: machines * workers].tolist()


@wrong(loses=["test-shards_of-hidden"], says="leave no remainder")
def drops_the_remainder():
    """shards // workers each, and what is left is left."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        order = np.random.default_rng(epoch).permutation(shards)
        me, each = machine * workers + worker, shards // (machines * workers)
        return order[me * each : (me + 1) * each].tolist()


@wrong(loses=["test-shards_of-hidden"], says="Deal them out like cards")
def the_last_gets_the_rest():
    """The last worker reads all that remains."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        order = np.random.default_rng(epoch).permutation(shards)
        me, all_workers = machine * workers + worker, machines * workers
        each = shards // all_workers
        end = shards if me == all_workers - 1 else (me + 1) * each
        return order[me * each : end].tolist()


@wrong(loses=["test-shards_of-hidden"], says="Seed the order with the epoch")
def the_same_every_epoch():
    """A fixed seed, for reproducibility."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        order = np.random.default_rng(0).permutation(shards)
        return order[machine * workers + worker :: machines * workers].tolist()


@wrong(loses=["test-shards_of-hidden"], says="shuffled within its own shards")
def shuffles_its_own():
    """Always the same shards, in another order."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        me = machine * workers + worker
        mine = np.arange(shards)[me :: machines * workers]
        return np.random.default_rng([epoch, me]).permutation(mine).tolist()


@wrong(loses=["test-shards_of-hidden"], says="The order is to be random, too")
def sorts_what_it_reads():
    """Deals anew, and reads in rising order."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        order = np.random.default_rng(epoch).permutation(shards)
        return sorted(order[machine * workers + worker :: machines * workers].tolist())


@right
def consecutive_pieces():
    """Pieces of one order, the first of them longer by one."""

    def shards_of(shards, machine, machines, worker, workers, epoch):
        order = np.random.default_rng(1000 + epoch).permutation(shards)
        return [
            int(k) for k in np.array_split(order, machines * workers)[machine * workers + worker]
        ]


@right
def workers_first():
    """Counts worker * machines + machine, with Python's random."""

    def shards_of(n, machine, machines, worker, workers, epoch):
        import random

        order = list(range(n))
        random.Random(epoch).shuffle(order)
        me = worker * machines + machine
        return [shard for k, shard in enumerate(order) if k % (machines * workers) == me]


# A tokenizer --------------------------------------------------------------------------------------


@wrong(loses=["test-vocabulary", "test-vocabulary-hidden"], says="0 and 1 are taken")
def numbers_from_zero():
    """Forgets padding and the unknown word."""

    def vocabulary(texts, least=1):
        counts = Counter(word for text in texts for word in tokenize(text))
        known = sorted((w for w in counts if counts[w] >= least), key=lambda w: (-counts[w], w))
        return {word: number for number, word in enumerate(known)}


@wrong(loses=["test-vocabulary", "test-vocabulary-hidden"], says="equals by the alphabet")
def in_order_of_appearance():
    """most_common keeps equals in the order in which they came."""

    def vocabulary(texts, least=1):
        counts = Counter(word for text in texts for word in tokenize(text))
        known = [word for word, count in counts.most_common() if count >= least]
        return {word: number for number, word in enumerate(known, start=2)}


@wrong(loses=["test-vocabulary-hidden"], says="most frequent")
def by_the_alphabet_alone():
    """A sorted list of words, which the visible test cannot tell from the other."""

    def vocabulary(texts, least=1):
        counts = Counter(word for text in texts for word in tokenize(text))
        known = sorted(word for word in counts if counts[word] >= least)
        return {word: number for number, word in enumerate(known, start=2)}


@wrong(loses=["test-vocabulary-hidden"], says="in all texts together")
def counts_texts():
    """Counts in how many texts a word occurs."""

    def vocabulary(texts, least=1):
        counts = Counter(word for text in texts for word in set(tokenize(text)))
        known = sorted((w for w in counts if counts[w] >= least), key=lambda w: (-counts[w], w))
        return {word: number for number, word in enumerate(known, start=2)}


@wrong(loses=["test-vocabulary-hidden"], says="at least")
def more_than_least():
    """least is to be enough."""

    def vocabulary(texts, least=1):
        counts = Counter(word for text in texts for word in tokenize(text))
        known = sorted(
            (w for w in counts if counts[w] > least or least == 1), key=lambda w: (-counts[w], w)
        )
        return {word: number for number, word in enumerate(known, start=2)}


@wrong(loses=["test-vocabulary-hidden"], says="least")
def ignores_least():
    """Takes every word."""

    def vocabulary(texts, least=1):
        counts = Counter(word for text in texts for word in tokenize(text))
        known = sorted(counts, key=lambda w: (-counts[w], w))
        return {word: number for number, word in enumerate(known, start=2)}


@wrong(loses=["test-vocabulary", "test-vocabulary-hidden"], says="equals by the alphabet")
def splits_at_blanks():
    """split() keeps the comma, and takes capitals for other words."""

    def vocabulary(texts, least=1):
        counts = Counter(word for text in texts for word in text.split())
        known = sorted((w for w in counts if counts[w] >= least), key=lambda w: (-counts[w], w))
        return {word: number for number, word in enumerate(known, start=2)}


@right
def counts_in_loops():
    """A dictionary of counts, and two stable sorts."""

    def vocabulary(lines, fewest=1):
        counts = {}
        for line in lines:
            for word in tokenize(line):
                counts[word] = counts.get(word, 0) + 1
        words = sorted(counts)
        words.sort(key=counts.get, reverse=True)
        found = {}
        for word in words:
            if counts[word] >= fewest:
                found[word] = len(found) + 2
        return found


@wrong(loses=["test-encode", "test-encode-hidden"], says="Unknown words are 1")
def drops_unknown_words():
    """What the vocabulary lacks is left out."""

    def encode(texts, words, length):
        numbers = np.zeros((len(texts), length), dtype=int)
        for row, text in zip(numbers, texts, strict=True):
            known = [words[w] for w in tokenize(text) if w in words][:length]
            row[: len(known)] = known
        return numbers, numbers > 0


@wrong(loses=["test-encode", "test-encode-hidden"], says="the mask is True there")
def masks_the_unknown():
    """Takes unknown words for no words."""

    def encode(texts, words, length):
        numbers = np.zeros((len(texts), length), dtype=int)
        for row, text in zip(numbers, texts, strict=True):
            known = [words.get(w, 1) for w in tokenize(text)][:length]
            row[: len(known)] = known
        return numbers, numbers > 1


@wrong(loses=["test-encode", "test-encode-hidden"], says="at the end")
def pads_in_front():
    """Fills from the left."""

    def encode(texts, words, length):
        numbers = np.zeros((len(texts), length), dtype=int)
        for row, text in zip(numbers, texts, strict=True):
            known = [words.get(w, 1) for w in tokenize(text)][:length]
            if known:
                row[-len(known) :] = known
        return numbers, numbers > 0


@wrong(loses=["test-encode-hidden"], says="Keep the first words")
def keeps_the_end():
    """A long text loses its beginning."""

    def encode(texts, words, length):
        numbers = np.zeros((len(texts), length), dtype=int)
        for row, text in zip(numbers, texts, strict=True):
            known = [words.get(w, 1) for w in tokenize(text)][-length:]
            row[: len(known)] = known
        return numbers, numbers > 0


@wrong(loses=["test-encode-hidden"], says="shape")
def as_long_as_the_longest():
    """Pads to the longest text of the batch, not to the length that was asked for."""

    def encode(texts, words, length):
        rows = [[words.get(w, 1) for w in tokenize(text)][:length] for text in texts]
        width = max(map(len, rows))
        numbers = np.array([row + [0] * (width - len(row)) for row in rows])
        return numbers, numbers > 0


@wrong(loses=["test-encode-hidden"], says="selects rows 0 and 1")
def mask_of_numbers():
    """0 and 1 for False and True."""

    def encode(texts, words, length):
        numbers = np.zeros((len(texts), length), dtype=int)
        for row, text in zip(numbers, texts, strict=True):
            known = [words.get(w, 1) for w in tokenize(text)[:length]]
            row[: len(known)] = known
        return numbers, (numbers > 0).astype(int)


@right
def mask_by_lengths():
    """Rows as lists, and the mask by counting."""

    def encode(texts, words, length):
        split = [tokenize(text)[:length] for text in texts]
        rows = [[words.get(w, 1) for w in row] + [0] * (length - len(row)) for row in split]
        lengths = np.array([len(row) for row in split], dtype=int)
        numbers = np.array(rows, dtype=np.int32).reshape(len(texts), length)
        return numbers, np.arange(length)[np.newaxis] < lengths[:, np.newaxis]


# Whole people -------------------------------------------------------------------------------------


@wrong(loses=["test-split_by_group", "test-split_by_group-hidden"], says="draw groups, not rows")
def splits_rows():
    """The same person in both splits."""

    def split_by_group(groups, labels, test, seed):
        labels, groups = np.asarray(labels), np.asarray(groups)
        for g in np.unique(groups):
            if len(set(labels[groups == g].tolist())) > 1:
                raise ValueError("contradiction")
        rows = np.zeros(len(labels), dtype=bool)
        rng = np.random.default_rng(seed)
        for kind in np.unique(labels):
            mine = rng.permutation(np.flatnonzero(labels == kind))
            rows[mine[: round(test * len(mine))]] = True
        return rows


@wrong(loses=["test-split_by_group", "test-split_by_group-hidden"], says="of each class")
def not_stratified():
    """Draws people, whatever their class."""

    def split_by_group(groups, labels, test, seed):
        groups, labels = np.asarray(groups), np.asarray(labels)
        names, first, which = np.unique(groups, return_index=True, return_inverse=True)
        if np.any(labels[first][which] != labels):
            raise ValueError("contradiction")
        chosen = np.zeros(len(names), dtype=bool)
        order = np.random.default_rng(seed).permutation(len(names))
        chosen[order[: round(test * len(names)) - 1]] = True
        return chosen[which]


@wrong(loses=["test-split_by_group-hidden"], says="count people, not rows")
def a_share_of_the_rows():
    """Takes people until a share of the rows is reached: right where all have as many rows."""

    def split_by_group(groups, labels, test, seed):
        groups, labels = np.asarray(groups), np.asarray(labels)
        names, first, which = np.unique(groups, return_index=True, return_inverse=True)
        label = labels[first]
        if np.any(label[which] != labels):
            raise ValueError("contradiction")
        chosen = np.zeros(len(names), dtype=bool)
        rng = np.random.default_rng(seed)
        for kind in np.unique(label):
            wanted = test * np.sum(labels == kind)
            for person in rng.permutation(np.flatnonzero(label == kind)):
                if np.sum(chosen[which] & (labels == kind)) >= wanted:
                    break
                chosen[person] = True
        return chosen[which]


@wrong(loses=["test-split_by_group-hidden"], says="Draw with a generator")
def ignores_the_seed():
    """The first people of each class, without a draw."""

    def split_by_group(groups, labels, test, seed):
        groups, labels = np.asarray(groups), np.asarray(labels)
        names, first, which = np.unique(groups, return_index=True, return_inverse=True)
        label = labels[first]
        if np.any(label[which] != labels):
            raise ValueError("contradiction")
        chosen = np.zeros(len(names), dtype=bool)
        for kind in np.unique(label):
            people = np.flatnonzero(label == kind)
            chosen[people[: round(test * len(people))]] = True
        return chosen[which]


@wrong(loses=["test-split_by_group-hidden"], says="ValueError to be raised")
def guesses_the_label():
    """Takes the label of the first row for the whole group."""

    def split_by_group(groups, labels, test, seed):
        groups, labels = np.asarray(groups), np.asarray(labels)
        names, first, which = np.unique(groups, return_index=True, return_inverse=True)
        label = labels[first]
        chosen = np.zeros(len(names), dtype=bool)
        rng = np.random.default_rng(seed)
        for kind in np.unique(label):
            people = rng.permutation(np.flatnonzero(label == kind))
            chosen[people[: round(test * len(people))]] = True
        return chosen[which]


@wrong(loses=["test-split_by_group-hidden"], says="round(test * groups)")
def rounds_down():
    """int() cuts off."""

    def split_by_group(groups, labels, test, seed):
        groups, labels = np.asarray(groups), np.asarray(labels)
        names, first, which = np.unique(groups, return_index=True, return_inverse=True)
        label = labels[first]
        if np.any(label[which] != labels):
            raise ValueError("contradiction")
        chosen = np.zeros(len(names), dtype=bool)
        rng = np.random.default_rng(seed)
        for kind in np.unique(label):
            people = rng.permutation(np.flatnonzero(label == kind))
            chosen[people[: int(test * len(people))]] = True
        return chosen[which]


@wrong(loses=["test-split_by_group-hidden"], says="split_by_group")
def groups_are_numbers():
    """Uses the groups as indices: names are none, and need not begin at 0."""

    def split_by_group(groups, labels, test, seed):
        groups, labels = np.asarray(groups).astype(int), np.asarray(labels)
        label = np.full(groups.max() + 1, -1)
        label[groups] = labels
        if np.any(label[groups] != labels):
            raise ValueError("contradiction")
        chosen = np.zeros(len(label), dtype=bool)
        rng = np.random.default_rng(seed)
        for kind in np.unique(labels):
            people = rng.permutation(np.flatnonzero(label == kind))
            chosen[people[: round(test * len(people))]] = True
        return chosen[groups]


@right
def sets_of_names():
    """Dictionaries and sets, with random's own sample."""

    def split_by_group(groups, labels, test, seed):
        import random

        of = {}
        for group, label in zip(
            np.asarray(groups).tolist(), np.asarray(labels).tolist(), strict=True
        ):
            if of.setdefault(group, label) != label:
                raise ValueError(f"{group} has two labels")
        draw, chosen = random.Random(seed), set()
        for kind in sorted(set(of.values())):
            people = sorted(group for group in of if of[group] == kind)
            chosen |= set(draw.sample(people, round(test * len(people))))
        return np.array([group in chosen for group in np.asarray(groups).tolist()])


# Copies -------------------------------------------------------------------------------------------


@wrong(loses=["test-find_copies", "test-find_copies-hidden"], says="agree in all columns")
def any_column():
    """A row whose columns agree each with some training row."""

    def find_copies(train, test, tolerance):
        train, test = np.asarray(train, float), np.asarray(test, float)
        near = np.abs(train[:, None] - test[None]) <= tolerance
        return np.flatnonzero(near.any(axis=0).all(axis=1))


@wrong(loses=["test-find_copies-hidden"], says="must not cancel")
def differences_that_cancel():
    """The mean of the differences, with their signs."""

    def find_copies(train, test, tolerance):
        train, test = np.asarray(train, float), np.asarray(test, float)
        far = np.abs((train[:, None] - test[None]).mean(axis=2))
        return np.flatnonzero((far <= tolerance).any(axis=0))


@wrong(loses=["test-find_copies", "test-find_copies-hidden"], says="in either direction")
def one_direction():
    """Forgets the absolute value."""

    def find_copies(train, test, tolerance):
        train, test = np.asarray(train, float), np.asarray(test, float)
        far = (test[None] - train[:, None]).max(axis=2)
        return np.flatnonzero((far <= tolerance).any(axis=0))


@wrong(loses=["test-find_copies-hidden"], says="added up")
def length_of_the_difference():
    """The Euclidean distance, which adds the columns up."""

    def find_copies(train, test, tolerance):
        train, test = np.asarray(train, float), np.asarray(test, float)
        far = np.linalg.norm(train[:, None] - test[None], axis=2)
        return np.flatnonzero((far <= tolerance).any(axis=0))


@wrong(loses=["test-find_copies-hidden"], says="Name each test row once")
def names_a_row_twice():
    """np.nonzero finds pairs."""

    def find_copies(train, test, tolerance):
        train, test = np.asarray(train, float), np.asarray(test, float)
        far = np.abs(train[:, None] - test[None]).max(axis=2)
        return np.sort(np.nonzero(far <= tolerance)[1])


@wrong(loses=["test-find_copies-hidden"], says="in bytes 3 - 5 is 254")
def subtracts_bytes():
    """Pictures come as uint8."""

    def find_copies(train, test, tolerance):
        train, test = np.asarray(train), np.asarray(test)
        far = np.abs(train[:, None] - test[None]).max(axis=2)
        return np.flatnonzero((far <= tolerance).any(axis=0))


@wrong(loses=["test-find_copies-hidden"], says="differs by at most the tolerance")
def less_than_the_tolerance():
    """Strictly less: a tolerance of 0 finds nothing."""

    def find_copies(train, test, tolerance):
        train, test = np.asarray(train, float), np.asarray(test, float)
        far = np.abs(train[:, None] - test[None]).max(axis=2)
        return np.flatnonzero((far < tolerance).any(axis=0))


@wrong(loses=["test-find_copies", "test-find_copies-hidden"], says="agree in all columns")
def rows_of_the_training_set():
    """Names the training rows."""

    def find_copies(train, test, tolerance):
        train, test = np.asarray(train, float), np.asarray(test, float)
        far = np.abs(train[:, None] - test[None]).max(axis=2)
        return np.flatnonzero((far <= tolerance).any(axis=1)) + 2


@right
def copies_in_loops():
    """Three loops."""

    def find_copies(known, new, tolerance):
        found = []
        for k, row in enumerate(new):
            for other in known:
                if all(
                    abs(float(a) - float(b)) <= tolerance for a, b in zip(row, other, strict=True)
                ):
                    found.append(k)
                    break
        return np.array(found, dtype=np.int64)


@right
def copies_by_a_tree():
    """A search tree for the largest difference."""

    def find_copies(train, test, tolerance):
        from scipy.spatial import cKDTree

        near, _ = cKDTree(np.asarray(train, float)).query(np.asarray(test, float), p=np.inf)
        return np.flatnonzero(near <= tolerance)


# One in ten ---------------------------------------------------------------------------------------


@wrong(loses=["test-class_weights", "test-class_weights-hidden"], says="the rare class")
def weights_inverted():
    """The share of a class, where one divided by it was meant."""

    def class_weights(labels, classes):
        counts = np.bincount(np.asarray(labels), minlength=classes)
        return counts * (counts > 0).sum() / len(labels)


@wrong(loses=["test-class_weights-hidden"], says="counts the classes that occur")
def all_classes_count():
    """Divides by all classes, also those without samples."""

    def class_weights(labels, classes):
        counts = np.bincount(np.asarray(labels), minlength=classes)
        weights = np.zeros(classes)
        weights[counts > 0] = len(labels) / (classes * counts[counts > 0])
        return weights


@wrong(loses=["test-class_weights-hidden"], says="weighs 0")
def infinite_weights():
    """Divides by a count of 0."""

    def class_weights(labels, classes):
        counts = np.bincount(np.asarray(labels), minlength=classes)
        return len(labels) / ((counts > 0).sum() * counts)


@wrong(loses=["test-class_weights", "test-class_weights-hidden"], says="5 / (2 * 4)")
def adds_to_one():
    """Normalizes the weights to a sum of 1."""

    def class_weights(labels, classes):
        counts = np.bincount(np.asarray(labels), minlength=classes)
        weights = np.zeros(classes)
        weights[counts > 0] = 1 / counts[counts > 0]
        return weights / weights.sum()


@wrong(loses=["test-class_weights-hidden"], says="shape")
def only_classes_that_occur():
    """np.unique does not know of the others."""

    def class_weights(labels, classes):
        _, counts = np.unique(labels, return_counts=True)
        return len(labels) / (len(counts) * counts)


@wrong(loses=["test-class_weights", "test-class_weights-hidden"], says="the sum of the weights")
def pytorch_s_mean():
    """nn.functional.cross_entropy's weight, which divides by the weights."""

    def weighted_loss(logits, labels, weights):
        return nn.functional.cross_entropy(logits, labels, weight=weights)


@wrong(loses=["test-class_weights", "test-class_weights-hidden"], says="(1 + 1 + 4) / 3")
def sum_of_losses():
    """Adds up, and does not divide."""

    def weighted_loss(logits, labels, weights):
        losses = nn.functional.cross_entropy(logits, labels, reduction="none")
        return (weights[labels] * losses).sum()


@wrong(loses=["test-class_weights-hidden"], says="of its own class")
def weight_of_the_answer():
    """The weight of the class that was answered, right where the answer is a tie or right."""

    def weighted_loss(logits, labels, weights):
        losses = nn.functional.cross_entropy(logits, labels, reduction="none")
        tie = (logits == logits[:, :1]).all(dim=1)
        answers = logits.argmax(dim=1).where(~tie, labels)
        return (weights[answers] * losses).mean()


@wrong(loses=["test-class_weights-hidden"], says="does not require grad")
def loses_the_gradient():
    """A new tensor from numbers."""

    def weighted_loss(logits, labels, weights):
        losses = nn.functional.cross_entropy(logits, labels, reduction="none").detach()
        return (weights[labels] * losses).mean()


@right
def weights_in_a_loop():
    """Counts with a list; float32."""

    def class_weights(labels, classes):
        labels = [int(label) for label in labels]
        present = len(set(labels))
        found = []
        for c in range(classes):
            count = labels.count(c)
            found.append(len(labels) / (present * count) if count else 0.0)
        return np.array(found)


@right
def divides_by_zero_on_the_way():
    """np.where computes both branches, and NumPy warns."""

    def class_weights(labels, classes):
        counts = np.bincount(labels, minlength=classes)
        return np.where(counts == 0, 0.0, len(labels) / np.sum(counts > 0) / counts)


@right
def pytorch_s_sum():
    """PyTorch's weighted sum, divided by n."""

    def weighted_loss(logits, labels, weights):
        total = nn.functional.cross_entropy(logits, labels, weight=weights, reduction="sum")
        return total / len(labels)


@right
def one_hot_sum():
    """Weights by one-hot rows."""

    def weighted_loss(z, y, w):
        hot = nn.functional.one_hot(y, z.shape[1]).to(z.dtype)
        return -(hot * w * z.log_softmax(dim=1)).sum() / z.shape[0]
