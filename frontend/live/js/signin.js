/** Go to the sign-in page, which leads back to exactly this view. */
export function signIn() {
  location.assign(`/signin?next=${encodeURIComponent(location.pathname + location.search)}`);
}
