"""A slot: a Celery pool child that claims runs and supervises the trainers it starts."""
