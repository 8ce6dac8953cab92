"""A slot: a Celery pool child that claims runs and watches the trainers that it starts."""
