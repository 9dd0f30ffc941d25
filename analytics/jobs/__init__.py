"""The only room of analytics that touches the store: what is computed, when and for whom."""
