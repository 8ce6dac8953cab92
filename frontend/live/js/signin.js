import { ownAddress } from "./address.js";

/** Go to the sign-in page, which leads back to exactly this view. */
export function signIn() {
  const here = encodeURIComponent(location.pathname + location.search);
  location.assign(`${ownAddress("/signin")}?next=${here}`);
}
