// Says a sentence to those who can't see the page, once it has stood for a while.
//
// Guesses change several times a second while the pen moves.

const STANDS_MS = 800;

export default function ({ data, parentElement }) {
  const place = parentElement.querySelector("p");
  clearTimeout(place.timer);
  place.timer = setTimeout(() => {
    if (place.textContent !== data.sentence) place.textContent = data.sentence;
  }, STANDS_MS);
}
