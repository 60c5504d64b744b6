"""Who the partner's people and customers are: read from Graph, dated, published, and judged for their posture."""
