"""What all pages share: session, texts, widgets, theme, and the browser's files."""
