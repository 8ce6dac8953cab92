/** Leads to the sign-in page and, from there, back to exactly this view. */
export default function leave({ data }) {
  const here = location.pathname + location.search;
  location.assign(`${data.signin}?next=${encodeURIComponent(here)}`);
}
