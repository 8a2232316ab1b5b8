<#
.SYNOPSIS
Activates the environment that holds this file, in PowerShell. It may be moved and linked to.
#>

function global:deactivate ([switch]$NonDestructive) {
    if (Test-Path -Path Function:_OLD_VIRTUAL_PROMPT) {
        Copy-Item -Path Function:_OLD_VIRTUAL_PROMPT -Destination Function:prompt
        Remove-Item -Path Function:_OLD_VIRTUAL_PROMPT
    }
    if (Test-Path -Path Env:_OLD_VIRTUAL_PYTHONHOME) {
        Copy-Item -Path Env:_OLD_VIRTUAL_PYTHONHOME -Destination Env:PYTHONHOME
        Remove-Item -Path Env:_OLD_VIRTUAL_PYTHONHOME
    }
    if (Test-Path -Path Env:_OLD_VIRTUAL_PATH) {
        Copy-Item -Path Env:_OLD_VIRTUAL_PATH -Destination Env:PATH
        Remove-Item -Path Env:_OLD_VIRTUAL_PATH
    }
    foreach ($name in 'VIRTUAL_ENV', 'VIRTUAL_ENV_PROMPT') {
        if (Test-Path -Path "Env:$name") { Remove-Item -Path "Env:$name" }
    }
    if (-not $NonDestructive) {
        Remove-Item -Path Function:deactivate
    }
}

# What another environment set.
deactivate -NonDestructive

$Env:VIRTUAL_ENV = Split-Path -Parent $PSScriptRoot

# `.venv` says nothing: the project that it is in does. Nor does the name of a view.
$Env:VIRTUAL_ENV_PROMPT = Split-Path -Leaf $Env:VIRTUAL_ENV
if ($Env:VIRTUAL_ENV_PROMPT.StartsWith('.')) {
    $Env:VIRTUAL_ENV_PROMPT = Split-Path -Leaf (Split-Path -Parent $Env:VIRTUAL_ENV)
} elseif ($Env:VIRTUAL_ENV_PROMPT -cmatch '^[0-9a-f]{40}$') {
    $Env:VIRTUAL_ENV_PROMPT = 'omnipkg'
}

if (-not $Env:VIRTUAL_ENV_DISABLE_PROMPT) {
    Copy-Item -Path Function:prompt -Destination Function:global:_OLD_VIRTUAL_PROMPT
    function global:prompt {
        Write-Host -NoNewline "($Env:VIRTUAL_ENV_PROMPT) "
        _OLD_VIRTUAL_PROMPT
    }
}

if (Test-Path -Path Env:PYTHONHOME) {
    Copy-Item -Path Env:PYTHONHOME -Destination Env:_OLD_VIRTUAL_PYTHONHOME
    Remove-Item -Path Env:PYTHONHOME
}

Copy-Item -Path Env:PATH -Destination Env:_OLD_VIRTUAL_PATH
$Env:PATH = "$Env:VIRTUAL_ENV/bin" + [IO.Path]::PathSeparator + $Env:PATH
