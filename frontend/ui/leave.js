/** Leads to the sign-in page and, from there, back to exactly this view. */
export default function leave() {
  const here = location.pathname + location.search;
  location.assign(`/signin?next=${encodeURIComponent(here)}`);
}
