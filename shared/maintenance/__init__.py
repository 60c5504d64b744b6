"""What the app does by night: exports, retention, and what operators ask of its tables."""
