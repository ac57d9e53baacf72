"""Answers to the same questions: independent ones, and a copy with other names."""

# Five people's answers to the same three questions, each from their own head.
INDEPENDENT = {
    "ann": '''
def standardize(x):
    """Return x with mean 0 and spread 1."""
    centered = x - x.mean(axis=0)
    return centered / x.std(axis=0)

def moving_average(values, width):
    result = []
    for i in range(len(values) - width + 1):
        result.append(sum(values[i : i + width]) / width)
    return result

def count_hits(predicted, wanted):
    hits = 0
    for p, w in zip(predicted, wanted):
        if p == w:
            hits += 1
    return hits
''',
    "bob": """
def standardize(data):
    m = np.mean(data, axis=0, keepdims=True)
    s = np.sqrt(((data - m) ** 2).mean(axis=0, keepdims=True))
    z = (data - m) / s
    return z

def moving_average(a, n):
    total = np.cumsum(np.insert(np.asarray(a, dtype=float), 0, 0))
    return ((total[n:] - total[:-n]) / n).tolist()

def count_hits(p, y):
    return int(np.sum(np.asarray(p) == np.asarray(y)))
""",
    "cem": """
def standardize(array):
    out = np.empty_like(array, dtype=np.float64)
    for column in range(array.shape[1]):
        values = array[:, column]
        out[:, column] = (values - values.mean()) / values.std()
    return out

def moving_average(xs, k):
    kernel = np.ones(k) / k
    return list(np.convolve(xs, kernel, mode="valid"))

def count_hits(guesses, labels):
    return len([1 for index, guess in enumerate(guesses) if guess == labels[index]])
""",
    "dan": """
from statistics import mean, pstdev

def standardize(x):
    columns = list(zip(*x))
    mus, sigmas = [mean(c) for c in columns], [pstdev(c) for c in columns]
    return np.array([[(v - m) / s for v, m, s in zip(row, mus, sigmas)] for row in x])

def moving_average(values, width):
    window = list(values[:width])
    averages = [sum(window) / width]
    for value in values[width:]:
        window.pop(0)
        window.append(value)
        averages.append(sum(window) / width)
    return averages

def count_hits(predicted, wanted):
    return sum(map(lambda pair: pair[0] == pair[1], zip(predicted, wanted)))
""",
    "eve": """
def standardize(x):
    if x.ndim == 1:
        x = x[:, None]
    variance = x.var(axis=0)
    if (variance == 0).any():
        raise ValueError("a column is constant")
    return (x - np.mean(x, 0)) * variance ** -0.5

def moving_average(v, w):
    v = np.array(v)
    windows = np.lib.stride_tricks.sliding_window_view(v, w)
    return windows.mean(axis=-1).tolist()

def count_hits(a, b):
    n = len(a)
    wrong = np.count_nonzero(np.array(a) - np.array(b))
    return n - wrong
""",
}

# Ann's, with other names, comments, layout, numbers and texts, and in another order.
RENAMED = '''
# My very own solution!!
def count_hits(out, target):
    """I count."""
    c = 0
    for o, t in zip(out, target):   # both
        if o == t:
            c += 1
    return c


def standardize(matrix):
    diff = matrix - matrix.mean(
        axis=0
    )
    return diff / matrix.std(axis=0)

def moving_average(seq, n):
    """Slides along."""
    averages = []
    for pos in range(len(seq) - n + 1):
        averages.append(
            sum(seq[pos : pos + n]) / n
        )
    return averages
'''
