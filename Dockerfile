# One image for the three roles; the command says which one runs.
FROM python:3.11-slim
# What learning needs to share its work among threads; slim images leave it out.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --create-home --home-dir /var/lib/comptoir comptoir
WORKDIR /opt/comptoir
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN pip install --no-cache-dir --no-deps .
USER comptoir
ENV HF_HUB_OFFLINE=1
EXPOSE 8000 8001
CMD ["comptoir", "serve", "--role", "shop"]
