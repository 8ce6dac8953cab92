"""What a team that shares a board has in the browser: a name, and links to what one sees."""
