using '../../../infra/main.bicep'

param environmentName = 'release'
param packageUri = 'https://github.com/example/key-vault-token-rotator/releases/download/v0.1.0/dist.zip'
param alarmEmails = ['on-call@example.com']
