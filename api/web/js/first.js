// Within the page itself: an address that opens another view does not show the box for a note first,
// and the program begins once the page has been painted.
document.documentElement.dataset.view = location.hash.split("/")[1] || "start";
addEventListener("DOMContentLoaded", () => {
  const failed = () => document.getElementById("main").replaceChildren("The program of this page did not come whole. Reload it.");
  const begin = () => setTimeout(() => import(document.getElementById("program").href).catch(failed), 0);
  if (document.hidden) begin();
  else requestAnimationFrame(begin);
});
