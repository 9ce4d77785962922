import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from neurobar.losses.contrastive import equal_label_weights, rbf_weights, weighted_contrastive


def loss_in_loops(view_1, view_2, weights, temperature):
    """Equation 4, written out: nothing is vectorised and every sum is a loop."""
    n = len(view_1)
    total = 0.0
    for i in range(n):
        similarity = [
            sum(a * b for a, b in zip(view_1[i], view_2[k], strict=True))
            / (math.sqrt(sum(a * a for a in view_1[i])) * math.sqrt(sum(b * b for b in view_2[k])))
            for k in range(n)
        ]
        row = sum(weights[i][j] for j in range(n))
        denominator = sum(math.exp(s / temperature) for s in similarity)
        for k in range(n):
            total -= weights[i][k] / row * math.log(math.exp(similarity[k] / temperature) / denominator)
    return total / n


@pytest.fixture
def views():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 7, generator=generator), torch.randn(5, 7, generator=generator)


def test_loss_equals_its_definition_in_loops(views):
    weights = torch.rand(5, 5, generator=torch.Generator().manual_seed(1))
    loss = weighted_contrastive(view_1=views[0], view_2=views[1], weights=weights, temperature=0.1)
    expected = loss_in_loops(views[0].tolist(), views[1].tolist(), weights.tolist(), 0.1)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_weights_are_normalised_over_the_pairs_of_one_anchor(views):
    weights = rbf_weights(label_1=torch.tensor([0, 0.1, 0.5, 0.9, 1]), label_2=torch.tensor([1, 0, 1, 0, 0]), sigma=0.8)
    per_anchor = torch.tensor([[2.0], [3.0], [0.5], [7.0], [11.0]])
    plain = weighted_contrastive(view_1=views[0], view_2=views[1], weights=weights, temperature=0.1)
    scaled = weighted_contrastive(view_1=views[0], view_2=views[1], weights=weights * per_anchor, temperature=0.1)
    assert float(plain) == pytest.approx(float(scaled), rel=1e-6)
    assert float(plain) != pytest.approx(
        float(weighted_contrastive(view_1=views[0], view_2=views[1], weights=weights * per_anchor.T, temperature=0.1))
    )


def test_identity_weights_give_infonce(views):
    loss = weighted_contrastive(view_1=views[0], view_2=views[1], weights=torch.eye(5), temperature=0.2)
    similarity = normalize(views[0]) @ normalize(views[1]).T
    assert float(loss) == pytest.approx(float(cross_entropy(similarity / 0.2, torch.arange(5))), rel=1e-6)


def test_two_orthogonal_pairs_give_the_value_found_by_hand():
    # Similarities 1 and 0, temperature 1: -log(e / (e + 1)).
    loss = weighted_contrastive(view_1=torch.eye(2), view_2=torch.eye(2), weights=torch.eye(2), temperature=1.0)
    assert float(loss) == pytest.approx(math.log(1 + math.exp(-1)), rel=1e-6)


def test_rbf_weights_equal_their_definition_in_loops():
    label_1, label_2 = torch.tensor([0.0, 0.3, 1.0]), torch.tensor([0.2, 1.0, 0.0])
    weights = rbf_weights(label_1=label_1, label_2=label_2, sigma=0.8)
    for i in range(3):
        for k in range(3):
            distance = float(label_1[i]) - float(label_2[k])
            assert float(weights[i, k]) == pytest.approx(math.exp(-(distance**2) / (2 * 0.8**2)), rel=1e-5)


def test_equal_labels_weigh_one_and_others_nothing():
    weights = equal_label_weights(label_1=torch.tensor([0.1, 0.9]), label_2=torch.tensor([0.0, 1.0]))
    assert weights.tolist() == [[1, 0], [0, 1]]


def test_loss_stays_finite_in_half_precision_at_a_tiny_temperature(views):
    loss = weighted_contrastive(
        view_1=views[0].bfloat16(), view_2=views[1].bfloat16(), weights=torch.eye(5), temperature=0.001
    )
    assert torch.isfinite(loss)


def test_an_anchor_without_any_weight_adds_nothing(views):
    weights = torch.eye(5)
    weights[2, 2] = 0
    loss = weighted_contrastive(view_1=views[0], view_2=views[1], weights=weights, temperature=0.1)
    whole = weighted_contrastive(view_1=views[0], view_2=views[1], weights=torch.eye(5), temperature=0.1)
    similarity = normalize(views[0]) @ normalize(views[1]).T
    missing = -(similarity / 0.1).log_softmax(1)[2, 2] / 5
    assert float(loss) == pytest.approx(float(whole - missing), rel=1e-5)


def test_gradient_agrees_with_finite_differences(views):
    weights = torch.rand(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def loss(view_1):
        similarity = normalize(view_1) @ normalize(views[1].double()).T
        return -((weights / weights.sum(1, keepdim=True)) * (similarity / 0.5).log_softmax(1)).sum(1).mean()

    view_1 = views[0].clone().requires_grad_()
    weighted_contrastive(view_1=view_1, view_2=views[1], weights=weights.float(), temperature=0.5).backward()
    step = torch.zeros_like(views[0], dtype=torch.float64)
    step[2, 3] = 1e-5
    difference = (loss(views[0].double() + step) - loss(views[0].double() - step)) / 2e-5
    assert float(view_1.grad[2, 3]) == pytest.approx(float(difference), abs=1e-5)


def test_inputs_stand_unchanged(views):
    before = [view.clone() for view in views]
    weighted_contrastive(view_1=views[0], view_2=views[1], weights=torch.eye(5), temperature=0.1)
    assert all(torch.equal(view, old) for view, old in zip(views, before, strict=True))


def test_weights_of_another_batch_are_refused(views):
    with pytest.raises(ValueError, match="do not belong together"):
        weighted_contrastive(view_1=views[0], view_2=views[1], weights=torch.eye(4), temperature=0.1)
