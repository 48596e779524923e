"""Floor 3. Architectures: each file holds the plain nn.Module and, composed of layers, its stacked form."""
