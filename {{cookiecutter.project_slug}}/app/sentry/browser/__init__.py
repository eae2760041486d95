"""The browser's half: errors and page loads. `browser/` has the script that sends them."""
