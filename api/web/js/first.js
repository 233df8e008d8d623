// Within the page itself: an address that opens another view does not show the box for a note first.
document.documentElement.dataset.view = location.hash.split("/")[1] || "start";
