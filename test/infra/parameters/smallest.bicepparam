using '../../../infra/main.bicep'
