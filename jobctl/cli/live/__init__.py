"""Live views: screens that change while a person looks at them, and the keys and signals that end them."""
