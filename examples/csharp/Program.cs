using Azure.Identity;
using Azure.Security.KeyVault.Secrets;

string Setting(string name) => Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"Set {name}.");

var vaultUrl = new Uri(Setting("TOKEN_VAULT_URL"));
var api = new Uri(Setting("API_URL"));
var vault = new SecretClient(vaultUrl, new DefaultAzureCredential(), new SecretClientOptions
{
    // A local test vault names the domain of Azure in its challenge, which does not match its own address.
    DisableChallengeResourceVerification = vaultUrl.IsLoopback,
});

using var http = new HttpClient(new AccessTokenHandler(vault, Setting("CONNECTION"), api) { InnerHandler = new HttpClientHandler() });
using var response = await http.GetAsync(api);
Console.WriteLine($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
