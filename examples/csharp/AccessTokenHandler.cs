using System.Net;
using System.Net.Http.Headers;
using Azure.Security.KeyVault.Secrets;

/// <summary>
/// Adds the connection's token to each request to the API. The handler reads the token from Key Vault and keeps it for a minute. After a
/// 401 it reads the token again immediately, and sends a request without a body once more.
/// </summary>
public sealed class AccessTokenHandler(SecretClient vault, string connection, Uri api) : DelegatingHandler
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);
    private readonly SemaphoreSlim _oneLook = new(1);
    private string _token = "";
    private long? _lookedAt;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stop)
    {
        if (request.RequestUri is not { } uri || Uri.Compare(uri, api, UriComponents.SchemeAndServer, UriFormat.SafeUnescaped, StringComparison.OrdinalIgnoreCase) != 0)
            return await base.SendAsync(request, stop);
        var token = await GetTokenAsync(null, stop);
        var response = await SendWithAsync(token, request, stop);
        if (response.StatusCode != HttpStatusCode.Unauthorized || request.Content is not null)
            return response;
        var newer = await GetTokenAsync(token, stop);
        if (newer == token) return response;
        response.Dispose();
        return await SendWithAsync(newer, request, stop);
    }

    private Task<HttpResponseMessage> SendWithAsync(string token, HttpRequestMessage request, CancellationToken stop)
    {
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return base.SendAsync(request, stop);
    }

    private async Task<string> GetTokenAsync(string? rejected, CancellationToken stop)
    {
        await _oneLook.WaitAsync(stop);
        try
        {
            var isRecent = _lookedAt is { } at && TimeProvider.System.GetElapsedTime(at) < LookEvery;
            if (isRecent && _token != rejected) return _token;
            KeyVaultSecret secret = await vault.GetSecretAsync($"{connection}-access-token", cancellationToken: stop);
            (_token, _lookedAt) = (secret.Value, TimeProvider.System.GetTimestamp());
            return _token;
        }
        finally
        {
            _oneLook.Release();
        }
    }
}
