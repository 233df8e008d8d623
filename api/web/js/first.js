// Within the page itself: an address that opens another view does not show the start page first,
// and the program is fetched once the page has been painted.
document.documentElement.dataset.view = location.hash.split("/")[1] || "start";
addEventListener("DOMContentLoaded", () => {
  const begin = () => setTimeout(() => {
    const { content } = document.getElementById("program");
    content.querySelector("script").onerror = () => document.getElementById("main").replaceChildren("The program of this page did not come whole. Reload it.");
    document.head.append(content);
  }, 0);
  if (document.hidden) begin();
  else requestAnimationFrame(begin);
});
