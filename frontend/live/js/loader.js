/**
 * What Streamlit runs at each change of the component's data. The modules proper come from their
 * own address, where they can import one another and be cached; Streamlit's copy of this text
 * is a blob, which cannot.
 *
 * The component outlives reruns. Streamlit calls the clean-up of a call that was overtaken by the
 * next one too: only that of the latest call may take the component down.
 */
const turns = new WeakMap();

export default async function show({ parentElement, data }) {
  const turn = (turns.get(parentElement) ?? 0) + 1;
  turns.set(parentElement, turn);
  const { mount, unmount } = await import(new URL(data.main, location.origin).href);
  if (turns.get(parentElement) === turn) await mount(parentElement, data);
  return () => {
    if (turns.get(parentElement) === turn) unmount(parentElement);
  };
}
