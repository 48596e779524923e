"""Floor 0. Finite tables: input tokens -> answer token, a file a family of tasks; and their splits."""
