"""Calls the API with the connection's token. Reads the token from Key Vault, keeps it for a minute, and reads it again immediately after a 401."""

import os
import time
from urllib.parse import urlsplit

import requests
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient

LOOK_EVERY_SECONDS = 60


class AccessToken:
    def __init__(self, vault: SecretClient, connection: str):
        self._vault = vault
        self._name = f"{connection}-access-token"
        self._value = ""
        self._looked_at = float("-inf")

    def get(self, rejected: str | None = None) -> str:
        now = time.monotonic()
        if now - self._looked_at >= LOOK_EVERY_SECONDS or self._value == rejected:
            self._value = self._vault.get_secret(self._name).value
            self._looked_at = now
        return self._value


def call_api(url: str, token: AccessToken) -> requests.Response:
    used = token.get()
    response = requests.get(url, headers={"Authorization": f"Bearer {used}"}, timeout=30)
    if response.status_code == 401:
        response = requests.get(url, headers={"Authorization": f"Bearer {token.get(rejected=used)}"}, timeout=30)
    return response


vault_url = os.environ["TOKEN_VAULT_URL"]
vault = SecretClient(
    vault_url,
    DefaultAzureCredential(),
    # A local test vault names the domain of Azure in its challenge, which does not match its own address.
    verify_challenge_resource=urlsplit(vault_url).hostname != "127.0.0.1",
)
response = call_api(os.environ["API_URL"], AccessToken(vault, os.environ["CONNECTION"]))
print(response.status_code, response.text)
