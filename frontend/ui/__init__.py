"""What all pages share: session, user, texts, controls, theme and assets."""
