"""Technical exceptions: a dated, documented acceptance of risk that silences incidents and never makes them right."""
