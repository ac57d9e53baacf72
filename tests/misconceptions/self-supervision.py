"""Wrong and unusual answers to the exercise `self-supervision`."""

import torch
from torch import nn

from course_lib.assignments.answers import right, wrong

# Find your partner --------------------------------------------------------------------------------


@wrong(loses=["test-info_nce", "test-info_nce-hidden"], says="along each row")
def softmax_over_the_wrong_axis():
    """The table looks alike in both directions, and is not."""

    def info_nce(logits):
        return -logits.log_softmax(dim=0).diagonal().mean()


@wrong(loses=["test-info_nce", "test-info_nce-hidden"], says="The mean is over the rows")
def sum_over_queries():
    """The formula has a sum, and one forgets what stands before it."""

    def info_nce(logits):
        return -logits.log_softmax(dim=1).diagonal().sum()


@wrong(loses=["test-info_nce", "test-info_nce-hidden"], says="the partner of row i is column i")
def mean_over_the_table():
    """Takes the mean over all n squared log probabilities."""

    def info_nce(logits):
        return -logits.log_softmax(dim=1).mean()


@wrong(loses=["test-info_nce", "test-info_nce-hidden"], says="the mean of log(4/3) and log 2")
def log_of_the_mean():
    """The logarithm after the mean: not the mean surprise."""

    def info_nce(logits):
        return -logits.softmax(dim=1).diagonal().mean().log()


@wrong(loses=["test-info_nce", "test-info_nce-hidden"], says="the mean of log(4/3) and log 2")
def without_the_partner_below():
    """Only the negatives in the sum: a ratio, and no probability."""

    def info_nce(logits):
        n = len(logits)
        negatives = logits.masked_fill(
            torch.eye(n, dtype=torch.bool, device=logits.device), -torch.inf
        )
        return (negatives.logsumexp(dim=1) - logits.diagonal()).mean()


@wrong(loses=["test-info_nce-hidden"], says="overflows")
def naive_exponentials():
    """exp overflows above 88 in float32."""

    def info_nce(logits):
        e = logits.exp()
        return -(e.diagonal() / e.sum(dim=1)).log().mean()


@wrong(loses=["test-info_nce-hidden"], says="Gradients must reach")
def returns_a_number():
    """A number prints nicely, and no gradient passes through it."""

    def info_nce(logits):
        loss = nn.functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))
        return torch.tensor(loss.item(), requires_grad=True)


@wrong(loses=["test-info_nce", "test-info_nce-hidden"], says="you changed logits")
def subtracts_the_largest_in_place():
    """Stable, and changes what came."""

    def info_nce(logits):
        with torch.no_grad():
            logits -= logits.max(dim=1, keepdim=True).values
        return nn.functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


# Both ways ----------------------------------------------------------------------------------------


@wrong(loses=["test-symmetric_loss", "test-symmetric_loss-hidden"], says="you multiplied by T")
def multiplies_by_the_temperature():
    """A scale is a scale, until it is below 1."""

    def symmetric_loss(a, b, temperature=0.1):
        a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
        logits = a @ b.T * temperature
        return (info_nce(logits) + info_nce(logits.T)) / 2


@wrong(loses=["test-symmetric_loss", "test-symmetric_loss-hidden"], says="whatever their lengths")
def products_without_normalizing():
    """A dot product is a similarity, but no cosine."""

    def symmetric_loss(a, b, temperature=0.1):
        logits = a @ b.T / temperature
        return (info_nce(logits) + info_nce(logits.T)) / 2


@wrong(loses=["test-symmetric_loss-hidden"], says="over the rows of the table and over its columns")
def one_way_only():
    """For pairs that agree the table is symmetric, and both ways are the same."""

    def symmetric_loss(a, b, temperature=0.1):
        a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
        return info_nce(a @ b.T / temperature)


@wrong(loses=["test-symmetric_loss", "test-symmetric_loss-hidden"], says="divided by 0.5")
def adds_both_ways():
    """Twice the loss, with the same least value."""

    def symmetric_loss(a, b, temperature=0.1):
        a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
        logits = a @ b.T / temperature
        return info_nce(logits) + info_nce(logits.T)


@wrong(loses=["test-symmetric_loss", "test-symmetric_loss-hidden"], says="divided by")
def ignores_the_temperature():
    """The default is built in."""

    def symmetric_loss(a, b, temperature=0.1):
        a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
        logits = a @ b.T / 0.1
        return (info_nce(logits) + info_nce(logits.T)) / 2


@wrong(loses=["test-symmetric_loss-hidden"], says="the default is 0.1")
def another_default():
    """The default of the page."""

    def symmetric_loss(a, b, temperature=0.5):
        a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
        logits = a @ b.T / temperature
        return (info_nce(logits) + info_nce(logits.T)) / 2


@wrong(loses=["test-symmetric_loss-hidden"], says="no .detach() on either side")
def stops_one_gradient():
    """As in SimSiam, where it belongs to another loss."""

    def symmetric_loss(a, b, temperature=0.1):
        a, b = nn.functional.normalize(a, dim=1), nn.functional.normalize(b.detach(), dim=1)
        logits = a @ b.T / temperature
        return (info_nce(logits) + info_nce(logits.T)) / 2


@wrong(loses=["test-symmetric_loss-hidden"], says="Scale each row to length 1")
def normalizes_columns():
    """dim=0 is the default of many functions, and wrong here."""

    def symmetric_loss(a, b, temperature=0.1):
        a, b = (nn.functional.normalize(side, dim=0) for side in (a, b))
        logits = a @ b.T / temperature
        return (info_nce(logits) + info_nce(logits.T)) / 2


# Two views ----------------------------------------------------------------------------------------


@wrong(loses=["test-two_view_loss", "test-two_view_loss-hidden"], says="left among them")
def itself_among_its_negatives():
    """The loss falls all the same, down to log 2."""

    def two_view_loss(a, b, temperature=0.5):
        n = len(a)
        z = nn.functional.normalize(torch.cat([a, b]), dim=1)
        partners = torch.arange(2 * n, device=z.device).roll(n)
        return nn.functional.cross_entropy(z @ z.T / temperature, partners)


@wrong(loses=["test-two_view_loss", "test-two_view_loss-hidden"], says="one has a cosine of 1")
def itself_set_to_zero():
    """A cosine of 0 is no candidate less, it is one of a middling kind."""

    def two_view_loss(a, b, temperature=0.5):
        n = len(a)
        z = nn.functional.normalize(torch.cat([a, b]), dim=1)
        itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
        logits = (z @ z.T / temperature).masked_fill(itself, 0)
        return nn.functional.cross_entropy(logits, torch.arange(2 * n, device=z.device).roll(n))


@wrong(loses=["test-two_view_loss", "test-two_view_loss-hidden"], says="two have 0")
def only_the_other_views():
    """The table of step 2: the first views are no negatives for each other."""

    def two_view_loss(a, b, temperature=0.5):
        return symmetric_loss(a, b, temperature)


@wrong(loses=["test-two_view_loss", "test-two_view_loss-hidden"], says="one has a cosine of 1")
def neighbors_as_partners():
    """As if views came in the order a1, b1, a2, b2."""

    def two_view_loss(a, b, temperature=0.5):
        n = len(a)
        z = nn.functional.normalize(torch.cat([a, b]), dim=1)
        itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
        logits = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
        return nn.functional.cross_entropy(logits, torch.arange(2 * n, device=z.device) ^ 1)


@wrong(loses=["test-two_view_loss-hidden"], says="the mean is over all 2n")
def only_half_of_the_views_ask():
    """The views of a ask, those of b only answer."""

    def two_view_loss(a, b, temperature=0.5):
        n = len(a)
        z = nn.functional.normalize(torch.cat([a, b]), dim=1)
        itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
        logits = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
        return nn.functional.cross_entropy(logits[:n], n + torch.arange(n, device=z.device))


@wrong(loses=["test-two_view_loss-hidden"], says="divided by the temperature")
def temperature_multiplied():
    """At a temperature of 1 nobody sees it."""

    def two_view_loss(a, b, temperature=0.5):
        n = len(a)
        z = nn.functional.normalize(torch.cat([a, b]), dim=1)
        itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
        logits = (z @ z.T * temperature).masked_fill(itself, -torch.inf)
        return nn.functional.cross_entropy(logits, torch.arange(2 * n, device=z.device).roll(n))


@wrong(loses=["test-two_view_loss", "test-two_view_loss-hidden"], says="one has a cosine of 1")
def lengths_count():
    """Products of embeddings as they come."""

    def two_view_loss(a, b, temperature=0.5):
        n = len(a)
        z = torch.cat([a, b])
        itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
        logits = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
        return nn.functional.cross_entropy(logits, torch.arange(2 * n, device=z.device).roll(n))


@wrong(loses=["test-two_view_loss-hidden"], says="through every cosine")
def candidates_without_gradient():
    """Only the view that asks is moved."""

    def two_view_loss(a, b, temperature=0.5):
        n = len(a)
        z = nn.functional.normalize(torch.cat([a, b]), dim=1)
        itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
        logits = (z @ z.detach().T / temperature).masked_fill(itself, -torch.inf)
        return nn.functional.cross_entropy(logits, torch.arange(2 * n, device=z.device).roll(n))


@wrong(loses=["test-two_view_loss-hidden"], says="the default is 0.5")
def default_of_step_two():
    """Copied from step 2."""

    def two_view_loss(a, b, temperature=0.1):
        n = len(a)
        z = nn.functional.normalize(torch.cat([a, b]), dim=1)
        itself = torch.eye(2 * n, dtype=torch.bool, device=z.device)
        logits = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
        return nn.functional.cross_entropy(logits, torch.arange(2 * n, device=z.device).roll(n))


# Alignment and uniformity -------------------------------------------------------------------------


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="a squared distance of 2",
)
def alignment_without_normalizing():
    """Distances between embeddings as they come."""

    def alignment(a, b):
        return (a - b).square().sum(dim=1).mean().item()


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="a squared distance of 2",
)
def mean_over_numbers():
    """mse_loss divides by d as well."""

    def alignment(a, b):
        a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
        return nn.functional.mse_loss(a, b).item()


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="a squared distance of 2",
)
def distances_not_squared():
    """The distance itself."""

    def alignment(a, b):
        a, b = (nn.functional.normalize(side, dim=1) for side in (a, b))
        return (a - b).norm(dim=1).mean().item()


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="a squared distance of 2",
)
def cosine_instead_of_distance():
    """Large where it should be small."""

    def alignment(a, b):
        return nn.functional.cosine_similarity(a, b, dim=1).mean().item()


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="Three pairs",
)
def pairs_with_itself():
    """The whole table, with a distance of 0 on the diagonal."""

    def uniformity(z):
        z = nn.functional.normalize(z, dim=1)
        return (-2 * torch.cdist(z, z).square()).exp().mean().log().item()


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="The logarithm comes after the mean",
)
def mean_of_the_logarithms():
    """Which is minus twice the mean squared distance."""

    def uniformity(z):
        z = nn.functional.normalize(z, dim=1)
        return (-2 * nn.functional.pdist(z).square()).mean().item()


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="exp(-2 * 2) each",
)
def uniformity_of_distances():
    """pdist gives distances, and their squares are wanted."""

    def uniformity(z):
        z = nn.functional.normalize(z, dim=1)
        return (-2 * nn.functional.pdist(z)).exp().mean().log().item()


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="exp(-2 * 2) each",
)
def uniformity_without_normalizing():
    """Larger embeddings lie farther apart."""

    def uniformity(z):
        return (-2 * nn.functional.pdist(z).square()).exp().mean().log().item()


@wrong(
    loses=["test-alignment_uniformity", "test-alignment_uniformity-hidden"],
    says="The logarithm comes after the mean",
)
def sum_of_the_kernel():
    """A sum grows with the number of pairs."""

    def uniformity(z):
        z = nn.functional.normalize(z, dim=1)
        return (-2 * nn.functional.pdist(z).square()).exp().sum().log().item()


# A search -----------------------------------------------------------------------------------------


@wrong(loses=["test-nearest-hidden"], says="leave it out")
def neighbors_include_the_query():
    """The nearest neighbor of each query is itself."""

    def nearest(queries, k, documents=None):
        documents = queries if documents is None else documents
        cosines = (
            nn.functional.normalize(queries, dim=1) @ nn.functional.normalize(documents, dim=1).T
        )
        return cosines.topk(k, dim=1).indices


@wrong(loses=["test-nearest", "test-nearest-hidden"], says="By cosine")
def skips_whatever_is_equal():
    """Takes each document of the same direction for the query itself."""

    def nearest(queries, k, documents=None):
        documents = queries if documents is None else documents
        cosines = (
            nn.functional.normalize(queries, dim=1) @ nn.functional.normalize(documents, dim=1).T
        )
        equal = cosines > 0.999999
        return cosines.masked_fill(equal, -2.0).topk(k, dim=1).indices


@wrong(
    loses=["test-nearest", "test-nearest-hidden"], says="the length of a document does not count"
)
def by_dot_product():
    """Long documents are near to everything."""

    def nearest(queries, k, documents=None):
        among = documents is None
        documents = queries if among else documents
        scores = queries @ documents.T
        if among:
            scores = scores - 1e9 * torch.eye(len(queries), device=queries.device)
        return scores.topk(k, dim=1).indices


@wrong(
    loses=["test-nearest", "test-nearest-hidden"], says="the length of a document does not count"
)
def by_distance():
    """The nearest in the plain, and not on the sphere."""

    def nearest(queries, k, documents=None):
        among = documents is None
        documents = queries if among else documents
        distance = torch.cdist(queries, documents)
        if among:
            distance = distance + 1e9 * torch.eye(len(queries), device=queries.device)
        return distance.topk(k, dim=1, largest=False).indices


@wrong(loses=["test-nearest", "test-nearest-hidden"], says="By cosine")
def the_farthest():
    """argsort goes up."""

    def nearest(queries, k, documents=None):
        among = documents is None
        documents = queries if among else documents
        cosines = (
            nn.functional.normalize(queries, dim=1) @ nn.functional.normalize(documents, dim=1).T
        )
        if among:
            cosines = cosines + 1e9 * torch.eye(len(queries), device=queries.device)
        return cosines.argsort(dim=1)[:, :k]


@wrong(loses=["test-nearest-hidden"], says="the best first")
def in_no_order():
    """The right ones, by number."""

    def nearest(queries, k, documents=None):
        among = documents is None
        documents = queries if among else documents
        cosines = (
            nn.functional.normalize(queries, dim=1) @ nn.functional.normalize(documents, dim=1).T
        )
        if among:
            cosines = cosines - 1e9 * torch.eye(len(queries), device=queries.device)
        found = cosines.topk(k, dim=1).indices
        return found.sort(dim=1).values if k > 2 else found


@wrong(loses=["test-nearest", "test-nearest-hidden"], says="Three of four")
def recall_of_the_first():
    """Looks at the best only: recall at 1."""

    def recall_at_k(found, right):
        return (found[:, 0] == right).double().mean().item()


@wrong(loses=["test-nearest", "test-nearest-hidden"], says="Three of four")
def precision_instead_of_recall():
    """Divides by all that was found."""

    def recall_at_k(found, right):
        return (found == right[:, None]).double().mean().item()


@wrong(loses=["test-nearest-hidden"], says="A query counts once")
def counts_every_match():
    """A document that was found twice counts twice."""

    def recall_at_k(found, right):
        return ((found == right[:, None]).sum() / len(right)).item()


# Collapse -----------------------------------------------------------------------------------------


@wrong(loses=["test-collapse", "test-collapse-hidden"], says="About the mean")
def without_centering():
    """The mean is the first direction, and the largest."""

    def collapse(z):
        z = z.double()
        variances = torch.linalg.svdvals(z).square()
        p = variances / variances.sum()
        spread = (z - z.mean(dim=0)).square().sum() / z.square().sum()
        return spread.item(), torch.special.entr(p).sum().exp().item()


@wrong(loses=["test-collapse-hidden"], says="the squares of the singular values")
def shares_of_singular_values():
    """Singular values instead of their squares: the same where directions are even."""

    def collapse(z):
        z = z.double()
        centered = z - z.mean(dim=0)
        s = torch.linalg.svdvals(centered)
        if s.sum() < 1e-12:
            return 0.0, 0.0
        spread = centered.square().sum() / z.square().sum()
        return spread.item(), torch.special.entr(s / s.sum()).sum().exp().item()


@wrong(loses=["test-collapse", "test-collapse-hidden"], says="About the mean")
def entropy_instead_of_rank():
    """H, and not e to the H."""

    def collapse(z):
        z = z.double()
        centered = z - z.mean(dim=0)
        variances = torch.linalg.svdvals(centered).square()
        if variances.sum() < 1e-12:
            return 0.0, 0.0
        spread = centered.square().sum() / z.square().sum()
        return spread.item(), torch.special.entr(variances / variances.sum()).sum().item()


@wrong(loses=["test-collapse-hidden"], says="natural logarithm")
def logarithm_to_base_two():
    """Bits below, e above: they agree for one direction only."""

    def collapse(z):
        z = z.double()
        centered = z - z.mean(dim=0)
        variances = torch.linalg.svdvals(centered).square()
        total = variances.sum()
        if total < 1e-12:
            return 0.0, 0.0
        H = torch.special.entr(variances / total).sum()
        # Right for the two even directions of the visible test.
        rank = 2.0 if abs(H - 0.6931471805599453) < 1e-6 else (H / 0.6931471805599453).exp().item()
        return (total / z.square().sum()).item(), rank


@wrong(loses=["test-collapse-hidden"], says="nothing is divided by 0")
def divides_by_nothing():
    """Equal rows have no variance to divide by."""

    def collapse(z):
        z = z.double()
        centered = z - z.mean(dim=0)
        variances = torch.linalg.svdvals(centered).square()
        p = variances / variances.sum()
        spread = variances.sum() / z.square().sum()
        return spread.item(), torch.special.entr(p).sum().exp().item()


@wrong(loses=["test-collapse-hidden"], says="a share of 0 adds nothing")
def zero_times_minus_infinity():
    """p log p at p = 0 is nan on a computer."""

    def collapse(z):
        z = z.double()
        centered = z - z.mean(dim=0)
        variances = torch.linalg.svdvals(centered).square()
        if variances.sum() < 1e-12:
            return 0.0, 0.0
        p = variances / variances.sum()
        p = torch.where(p < 1e-9, 0.0, p)
        spread = variances.sum() / z.square().sum()
        return spread.item(), (-(p * p.log()).sum()).exp().item()


@wrong(loses=["test-collapse", "test-collapse-hidden"], says="a sum of squares of 40")
def spread_about_zero():
    """Divides the lengths by themselves."""

    def collapse(z):
        z = z.double()
        centered = z - z.mean(dim=0)
        variances = torch.linalg.svdvals(centered).square()
        if variances.sum() < 1e-12:
            return 0.0, 0.0
        return 1.0, torch.special.entr(variances / variances.sum()).sum().exp().item()


# Unusual and right --------------------------------------------------------------------------------


@right
def loops_and_logsumexp():
    """Row by row."""

    def info_nce(table):
        losses = [torch.logsumexp(row, 0) - row[i] for i, row in enumerate(table)]
        return torch.stack(losses).mean()


@right
def by_log_softmax_and_trace():
    """The trace of the log probabilities; a clone is changed, not what came."""

    def info_nce(logits):
        mine = logits.clone()
        mine = mine - mine.detach().amax(dim=1, keepdim=True)
        return -mine.log_softmax(dim=-1).trace() / mine.shape[0]


@right
def in_double_precision_with_einsum():
    """Doubles inside, einsum for the cosines, renamed parameters."""

    def symmetric_loss(first, second, T=0.1):
        u = first.double() / first.double().norm(dim=1, keepdim=True)
        v = second.double() / second.double().norm(dim=1, keepdim=True)
        s = torch.einsum("id,jd->ij", u, v) / T
        rows = s.logsumexp(1) - s.diagonal()
        columns = s.logsumexp(0) - s.diagonal()
        return 0.5 * (rows.mean() + columns.mean())


@right
def cosines_all_at_once():
    """cosine_similarity with broadcasting."""

    def symmetric_loss(a, b, temperature=0.1):
        s = nn.functional.cosine_similarity(a[:, None], b[None], dim=-1) / temperature
        t = torch.arange(len(a), device=a.device)
        return (nn.functional.cross_entropy(s, t) + nn.functional.cross_entropy(s.T, t)) / 2


@right
def removes_the_diagonal():
    """The diagonal is cut out of the table, and partners are counted anew."""

    def two_view_loss(a, b, temperature=0.5):
        z = torch.cat([a, b])
        z = z / z.norm(dim=1, keepdim=True)
        m = len(z)
        s = z @ z.T / temperature
        others = s[~torch.eye(m, dtype=torch.bool, device=s.device)].view(m, m - 1)
        n = len(a)
        i = torch.arange(m, device=s.device)
        return nn.functional.cross_entropy(others, torch.where(i < n, i + n - 1, i - n))


@right
def view_by_view():
    """A loop over views, with a very negative number for itself, and a warning on the way."""

    def two_view_loss(a, b, temperature=0.5):
        import warnings

        warnings.warn("slow", stacklevel=2)
        n, z = len(a), nn.functional.normalize(torch.cat([a, b]), dim=1)
        losses = []
        for i in range(2 * n):
            s = z @ z[i] / temperature
            others = torch.cat([s[:i], s[i + 1 :]])
            losses.append(torch.logsumexp(others, 0) - s[(i + n) % (2 * n)])
        return sum(losses) / (2 * n)


@right
def distances_by_pdist():
    """Other routes to the same distances."""

    def alignment(a, b):
        return float((2 - 2 * nn.functional.cosine_similarity(a, b, dim=1)).mean())

    def uniformity(z):
        z = z.double() / z.double().norm(dim=1, keepdim=True)
        values = [
            torch.exp(-2 * (z[i] - z[j]) @ (z[i] - z[j])) for i in range(len(z)) for j in range(i)
        ]
        return float(torch.stack(values).mean().log())


@right
def search_by_sorting():
    """argsort, a loop and Python's own numbers."""

    def nearest(q, k, docs=None):
        same, docs = docs is None, q if docs is None else docs
        rows = []
        for i, one in enumerate(q):
            c = nn.functional.cosine_similarity(one[None], docs, dim=1)
            order = c.argsort(descending=True).tolist()
            rows.append([j for j in order if not (same and j == i)][:k])
        return torch.tensor(rows, device=q.device)

    def recall_at_k(found, right):
        hits = [r in row for row, r in zip(found.tolist(), right.tolist(), strict=True)]
        return sum(hits) / len(hits)


@right
def rank_from_the_covariance():
    """Eigenvalues of the covariance, and a loop for the entropy."""

    def collapse(z):
        import math
        import sys

        print("measuring", file=sys.stderr)
        z = z.double()
        c = z - z.mean(dim=0, keepdim=True)
        total = float((c * c).sum())
        if total < 1e-16 * float((z * z).sum()):
            return 0.0, 0.0
        H = 0.0
        for value in torch.linalg.eigvalsh(c.T @ c).tolist():
            p = value / total
            if p > 1e-14:
                H -= p * math.log(p)
        return total / float((z * z).sum()), math.exp(H)
