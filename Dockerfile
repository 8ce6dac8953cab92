# One file, an image per target: api, worker, ui. Each installs its own dependency group only and
# holds its own folder only; the folders' rule of imports is what makes that possible.

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
RUN useradd --create-home --uid 10001 lossboard \
    && install --directory --owner lossboard /data \
    && pip install pip==26.3
WORKDIR /app
COPY pyproject.toml constraints.txt ./
VOLUME /data
ENV LOSSBOARD_DATA_DIR=/data

FROM base AS api
RUN pip install -c constraints.txt --group backend
COPY contract contract
COPY backend backend
USER lossboard
EXPOSE 8500
CMD ["python", "-m", "uvicorn", "backend.app:create_app", "--factory", "--host", "0.0.0.0", "--port", "8500", "--timeout-graceful-shutdown", "3", "--timeout-keep-alive", "75", "--no-access-log", "--no-proxy-headers"]

FROM base AS worker
# Where torch comes from: this index has the CPU build; empty takes the CUDA build of the default.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN PIP_EXTRA_INDEX_URL="$TORCH_INDEX" pip install -c constraints.txt --group worker
COPY contract contract
COPY worker worker
USER lossboard
ENV LOSSBOARD_DEVICE=cpu LOSSBOARD_DATASETS_DIR=/data/datasets REMAP_SIGTERM=SIGQUIT
CMD ["sh", "-c", "exec python -m celery -q -A worker.celery_app worker --pool prefork --concurrency 1 -Q lossboard.$LOSSBOARD_DEVICE --hostname slot@%h --without-gossip --without-mingle --loglevel WARNING"]

FROM base AS ui
RUN pip install -c constraints.txt --group frontend
COPY .streamlit .streamlit
COPY frontend frontend
COPY docs/METHOD.md docs/METHOD.md
USER lossboard
# The dashboard itself looks whom it may believe which address a visitor has
ENV FORWARDED_ALLOW_IPS=""
EXPOSE 8501
CMD ["python", "-m", "streamlit", "run", "frontend/app.py", "--server.address", "0.0.0.0", "--server.port", "8501", "--server.headless", "true", "--browser.gatherUsageStats", "false"]
