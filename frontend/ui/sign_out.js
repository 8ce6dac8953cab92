/** The button that signs out. */
export default function show({ parentElement, data }) {
  if (parentElement.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "lb-copy";
  button.textContent = "Sign out";
  button.dataset.testid = "sign-out";
  button.onclick = async () => {
    button.disabled = true;
    const answer = await fetch(data.signout, { method: "POST" }).catch(() => null);
    if (answer?.ok) location.assign(data.signin);
    else {
      button.disabled = false;
      button.textContent = "Not signed out: the server does not answer. Try again";
    }
  };
  parentElement.append(button);
}
