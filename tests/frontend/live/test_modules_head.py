"""What stands above the charts: the strip of runs that folds, notices, short names."""

from typing import Any

import pytest

from tests.frontend.live.test_modules import Run, run

__all__ = ["run"]

FOLD = """
  localStorage.clear();
  const strip = new m.RunStrip();
  document.body.replaceChildren(strip.toggle, strip.element);
  const runs = (n) => [...Array(n).keys()].map((seed) => ({id: `r${seed}`, arm: 'x', seed,
    state: 'queued', attempt: 1, progress: 0, eta_s: null, preparing: null}));
  const arms = [{name: 'x', color: '#111111', dash: 'solid'}];
  const seen = [];
  const look = () => seen.push([
    !strip.element.querySelector('.lb-runs').hidden,
    strip.toggle.getAttribute('aria-expanded') === 'true' && !strip.toggle.hidden]);
  for (const n of [6, 7]) { strip.draw(runs(n), arms); look(); }
  strip.draw(runs(3), [...arms, ...arms, ...arms]); look();
  strip.draw(runs(7), arms);
  strip.toggle.click(); look();
  strip.draw(runs(7), arms); look();
  const next = new m.RunStrip();
  next.draw(runs(60), arms);
  seen.push(!next.element.querySelector('.lb-runs').hidden);
  strip.toggle.click(); look();
  strip.showWhole(true);
  seen.push([!strip.element.querySelector('.lb-runs').hidden, strip.toggle.hidden]);
  localStorage.clear();
  return seen;
"""


def test_the_strip_of_many_runs_is_folded_until_the_viewer_opens_it(run: Run) -> None:
    few, many, arms, opened, drawn, next_page, folded, whole = run("runs", FOLD)
    assert few == [True, True]
    assert many == arms == [False, False]
    assert opened == drawn == [True, True]
    assert next_page is True, "the choice holds for every comparison"
    assert folded == [False, False]
    assert whole == [True, True], "under Set-up every run is shown, and there is nothing to fold"


def test_of_many_failures_two_are_shown_and_the_rest_on_demand(run: Run) -> None:
    code = """
      const strip = new m.RunStrip();
      document.body.replaceChildren(strip.element);
      const error = {message: '<b>NaN', cause: 'overflow', step: 3};
      const runs = [...'abcde'].map((arm) => ({id: arm, arm, seed: 0, state: 'failed', attempt: 1,
        progress: 0, eta_s: null, preparing: null, error}));
      strip.draw(runs.slice(0, 3), []);
      const lines = () => [...strip.element.querySelectorAll('.lb-error')].map((e) => !e.hidden);
      const more = () => strip.element.querySelector('.lb-more-notices');
      const seen = [lines(), more()];
      strip.draw(runs, []);
      seen.push(lines(), more().textContent, strip.element.querySelector('.lb-error').textContent);
      more().click();
      seen.push(lines(), more().getAttribute('aria-expanded'));
      const first = () => strip.element.querySelector('.lb-error');
      first().open = true;
      first().querySelector('summary').focus();
      strip.draw([...runs, {...runs[0], id: 'f', arm: 'f'}], []);
      return [...seen, [first().open, first().contains(document.activeElement), lines().length]];
    """
    three, no_button, five, button, text, all_lines, expanded, sixth = run("runs", code)
    assert (three, no_button) == ([True] * 3, None)
    assert (five, button) == ([True, True, False, False, False], "3 more failures")
    assert text == "a · seed 0 failed at step 3<b>NaNoverflow"
    assert (all_lines, expanded) == ([True] * 5, "true")
    assert sixth == [True, True, 6], "one more leaves open what is read"


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["contrastive", "triplet"], ["contrastive", "triplet"]),
        (["triplet, margin 0.10", "triplet, margin 0.25"], ["triplet…n 0.10", "triplet…n 0.25"]),
        (
            ["margin 0.1, all pairs of the batch", "margin 0.2, all pairs of the batch"],
            ["marg…0.1, all…", "marg…0.2, all…"],
        ),
    ],
)
def test_names_are_cut_where_they_are_alike(run: Run, names: list[str], short: list[str]) -> None:
    found = run("names", "return [...m.shortened(a, 14)]", names)
    assert [name for name, _ in found] == names
    assert [text for _, text in found] == short


def test_short_names_stay_unlike_one_another(run: Run) -> None:
    names = [f"{kind}, margin {at / 10}, all pairs" for kind in ("aa", "bb") for at in range(7)]
    found: list[list[Any]] = run("names", "return [...m.shortened(a, 12)]", names)
    assert len({text for _, text in found}) == 14
    assert all(len(text) <= 12 for _, text in found)
